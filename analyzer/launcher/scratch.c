/* SPDX-License-Identifier: MIT */
/* A directory for what nobody need see; see scratch.h. */
#include "scratch.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "util.h"

char *scratch_make(void)
{
	const char *base = getenv("TMPDIR");
	char *dir = util_format("%s/memtrace.XXXXXX",
				base && *base == '/' ? base : "/tmp");

	if (mkdtemp(dir))
		return dir;
	free(dir);
	return NULL;
}

void scratch_remove(const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *entry;

	while (d && (entry = readdir(d)))
		unlinkat(dirfd(d), entry->d_name, 0);
	if (d)
		closedir(d);
	rmdir(dir);
}
