/* SPDX-License-Identifier: MIT */
/* What the kernel says of a running process; see procstat.h. */
#include "procstat.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Fields of /proc/PID/stat, counted from 1 as proc(5) does. */
enum { UTIME = 14, STIME = 15, START = 22, VSIZE = 23, RSS = 24, FIELDS };

char *procstat_text(uint32_t pid, char text[PROCSTAT_BYTES])
{
	char name[32];
	size_t n;
	FILE *f;

	snprintf(name, sizeof(name), "/proc/%u/stat", pid);
	f = fopen(name, "re");
	if (!f)
		return NULL;
	n = fread(text, 1, PROCSTAT_BYTES - 1, f);
	fclose(f);
	text[n] = '\0';
	return strrchr(text, ')');
}

/* Read the fields behind the name, which are numbers from the fourth on. */
static bool read_fields(uint32_t pid, uint64_t field[FIELDS])
{
	char text[PROCSTAT_BYTES], *p = procstat_text(pid, text);

	for (int i = 3; p && i < FIELDS; i++) {
		p = strchr(p + 1, ' ');
		field[i] = p ? strtoull(p, NULL, 10) : 0;
	}
	return p != NULL;
}

/* Return when the machine was started, in seconds since the epoch. */
static double boot_seconds(void)
{
	struct timespec now, up;

	clock_gettime(CLOCK_REALTIME, &now);
	clock_gettime(CLOCK_BOOTTIME, &up);
	return (double)(now.tv_sec - up.tv_sec) +
	       (double)(now.tv_nsec - up.tv_nsec) / 1e9;
}

bool procstat_read(struct procstat *s, uint32_t pid)
{
	double ticks = (double)sysconf(_SC_CLK_TCK);
	uint64_t field[FIELDS];

	if (!read_fields(pid, field))
		return false;
	*s = (struct procstat){
		.resident_bytes = field[RSS] * (uint64_t)sysconf(_SC_PAGESIZE),
		.virtual_bytes = field[VSIZE],
		.cpu_seconds = (double)(field[UTIME] + field[STIME]) / ticks,
		.start_seconds = boot_seconds() + (double)field[START] / ticks,
	};
	return true;
}
