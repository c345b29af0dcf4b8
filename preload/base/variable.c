/* SPDX-License-Identifier: MIT */
/* The variable $MEMTRACE; see variable.h. */
#include "variable.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sys.h"

/* Find a variable in the process's first environment; "" without one. */
static void initial_environment(const char *name, char *value, size_t size)
{
	int fd = sys_open("/proc/self/environ", O_RDONLY, 0);
	size_t match = 0, length = strlen(name), at = 0;
	bool in_name = true;
	char c;

	value[0] = '\0';
	while (fd >= 0 && sys_read(fd, &c, 1) == 1) {
		if (!c && at)
			break;
		if (!c) {
			in_name = true;
			match = 0;
		} else if (in_name) {
			if (match == length && c == '=') {
				in_name = false;
				match = length + 1;
			} else if (match < length && name[match] == c) {
				match++;
			} else {
				in_name = false;
			}
		} else if (match == length + 1 && at + 1 < size) {
			value[at++] = c;
			value[at] = '\0';
		}
	}
	if (fd >= 0)
		sys_close(fd);
}

void mt_variable_read(char *options, size_t size)
{
	const char *text = environ ? getenv("MEMTRACE") : NULL;

	options[0] = '\0';
	if (text)
		sys_append(options, size, text);
	else if (!environ)
		initial_environment("MEMTRACE", options, size);
}

void mt_variable_mark_followers(void)
{
	char *text = getenv("MEMTRACE");
	char *follow = text ? strstr(text, "follow=") : NULL;

	if (follow && follow[7])
		follow[7] = '-';
}

bool mt_variable_is_followers(const char *options)
{
	return strstr(options, "follow=-") != NULL;
}
