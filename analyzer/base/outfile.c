/* SPDX-License-Identifier: MIT */
/* Output to a file, whole or not at all; see outfile.h. */
#include "outfile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Tell whether there is something at a path that is not to be replaced. */
static bool is_special(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && !S_ISREG(st.st_mode);
}

/* Begin a file beside `path`, with the mode that it is to have. */
static FILE *open_beside(struct outfile *o, const char *path)
{
	mode_t mask = umask(0);
	FILE *f;
	int fd;

	umask(mask);
	o->temporary = util_format("%s.XXXXXX", path);
	fd = mkstemp(o->temporary);
	if (fd < 0)
		return NULL;
	fchmod(fd, 0666 & ~mask);
	f = fdopen(fd, "w");
	if (!f) {
		close(fd);
		unlink(o->temporary);
	}
	return f;
}

/* Close the file, if there is one, and free all. */
static void finish(struct outfile *o)
{
	if (o->f)
		fclose(o->f);
	free(o->path);
	free(o->temporary);
}

/* Say why the file could not be written. */
static void complain(const struct outfile *o, int error, struct error *e)
{
	error_set(e, ERROR_NO_OFFSET, "cannot write %s: %s", o->path,
		  strerror(error));
}

int outfile_open(struct outfile *o, const char *path, struct error *e)
{
	*o = (struct outfile){.path = util_copy(path, strlen(path))};
	o->f = is_special(path) ? fopen(path, "w") : open_beside(o, path);
	if (o->f)
		return 0;
	complain(o, errno, e);
	finish(o);
	return -1;
}

int outfile_commit(struct outfile *o, struct error *e)
{
	if (fflush(o->f) || ferror(o->f) ||
	    (o->temporary && rename(o->temporary, o->path))) {
		complain(o, errno, e);
		outfile_abort(o);
		return -1;
	}
	finish(o);
	return 0;
}

void outfile_abort(struct outfile *o)
{
	if (o->temporary)
		unlink(o->temporary);
	finish(o);
}
