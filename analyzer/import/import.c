/* SPDX-License-Identifier: MIT */
/*
 * Imports: the list of formats, told apart by their first bytes.
 */
#include "import.h"

#include <stdlib.h>

#include "unpack.h"

static const struct import_format {
	import_matches *matches;
	import_function *read;
} formats[] = {
	{heaptrack_matches, heaptrack_read},
	{massif_matches, massif_read},
	{legacy_matches, legacy_read},
	{pprof_matches, pprof_read},
};

int import_file(struct profile *p, const char *path,
		const struct sym_options *sym, struct error *e)
{
	struct import in = {.path = path};
	char *text = unpack_file(path, &in.bytes, e);
	int status = text ? 1 : -1;

	in.text = text;
	for (size_t i = 0;
	     status == 1 && i < sizeof(formats) / sizeof(*formats); i++)
		if (formats[i].matches(&in)) {
			status = formats[i].read(p, &in, e);
			if (status)
				profile_free(p);
			else
				stacks_name_by_files(&p->stacks, sym);
		}
	free(text);
	return status;
}
