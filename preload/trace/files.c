/* SPDX-License-Identifier: MIT */
/* The names of a run's two files; see files.h. */
#include "files.h"

#include <errno.h>
#include <string.h>

#include <memtrace/pattern.h>

#include "journal.h"
#include "live.h"
#include "sys.h"

/* The last part of a path. */
static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

bool mt_files_name(const struct mt_config *config, const char *cwd,
		   uint32_t pid, uint32_t number, char trace[MT_PATH_BYTES])
{
	char exe[MT_PATH_BYTES] = "", host[256] = "", *end;
	size_t used;
	struct mt_names names = {
		.pid = pid,
		.number = number,
	};

	if (sys_readlink("/proc/self/exe", exe, sizeof(exe)) < 0)
		sys_append(exe, sizeof(exe), "unknown");
	if (sys_read_file("/proc/sys/kernel/hostname", host, sizeof(host)) < 0)
		sys_append(host, sizeof(host), "unknown");
	end = strchr(host, '\n');
	if (end)
		*end = '\0';
	names.exe = base_name(exe);
	names.host = host;
	trace[0] = '\0';
	if (config->out[0] != '/') {
		sys_append(trace, MT_PATH_BYTES, cwd);
		sys_append(trace, MT_PATH_BYTES, "/");
	}
	used = strlen(trace);
	return mt_pattern_expand(trace + used, MT_PATH_BYTES - used,
				 config->out, &names) != 0;
}

/* The live file's name for a trace's. */
static void name_live(const struct mt_config *config, const char *trace,
		      char *live, size_t size)
{
	live[0] = '\0';
	if (config->live[0]) {
		sys_append(live, size, config->live);
		sys_append(live, size, "/");
		trace = base_name(trace);
	}
	sys_append(live, size, trace);
	sys_append(live, size, ".live");
}

int mt_files_create(const struct mt_config *config, char trace[MT_PATH_BYTES])
{
	static char name[MT_PATH_BYTES]; /* stacks may be small */
	char live[MT_PATH_BYTES + 8];
	int error = 0;

	for (unsigned int nth = 0; nth < 100000; nth++) {
		if (!nth)
			strcpy(name, trace);
		else if (!mt_pattern_retry(name, MT_PATH_BYTES, trace, nth))
			return ENAMETOOLONG;
		error = -mt_journal_open(name, (int)config->level,
					 (uint64_t)config->size);
		if (error == EEXIST)
			continue;
		if (error)
			return error;
		name_live(config, name, live, sizeof(live));
		if (!mt_live_open(live, &error)) {
			sys_unlink(name);
			return ENOMEM;
		}
		if (error == EEXIST) { /* a killed run's, its trace is gone */
			mt_live_reset();
			mt_journal_reset();
			sys_unlink(name);
			continue;
		}
		strcpy(trace, name);
		return 0;
	}
	return error;
}
