/* SPDX-License-Identifier: MIT */
/*
 * Shows that no input makes the importers crash, hang or write where they
 * must not: heaptrack's, massif's, gperftools', jemalloc's and pprof's files.
 *
 * libFuzzer and AFL++ call LLVMFuzzerTestOneInput(); replay.c calls it for
 * the files of the corpus.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "group.h"
#include "import/import.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Read a profile to its end: each row's site, each group's sums. */
static void use(struct profile *p)
{
	struct groups sites;

	groups_build(&sites, p, GROUP_FUNCTION, true);
	if (sites.totals.exit_bytes != p->totals.exit_bytes ||
	    sites.totals.allocations != p->totals.allocations)
		abort();
	groups_free(&sites);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct error e = {0};
	struct profile p;
	char path[64];
	int fd, status;

	snprintf(path, sizeof(path), "/tmp/fuzz_import.%d", (int)getpid());
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (fd < 0 || write(fd, data, size) != (ssize_t)size || close(fd))
		abort();
	status = import_file(&p, path, NULL, &e);
	if (status == 0) {
		/* No fuzzed path may lead to a file of this machine. */
		for (size_t i = 0; i < p.stacks.module_count; i++)
			if (p.stacks.modules[i].path)
				p.stacks.modules[i].path[0] = '\0';
		use(&p);
		profile_free(&p);
	} else if (status < 0 && !error_is_set(&e)) {
		abort();
	}
	unlink(path);
	return 0;
}
