/* SPDX-License-Identifier: MIT */
/*
 * closed FILE: started without stdin, stdout and stderr, opens FILE, and writes
 * there which of them are open.
 */
#include <fcntl.h>
#include <stdio.h>

#include "host.h"

int main(int argc, char **argv)
{
	char text[64];
	int open_before = 0, fd, n;

	for (int i = 0; i < 10000; i++)
		free(keep(malloc(10)));
	for (int i = 0; i < 3; i++)
		open_before |= (fcntl(i, F_GETFD) >= 0) << i;
	fd = argc > 1 ? open(argv[1], O_RDWR | O_CREAT | O_TRUNC, 0644) : -1;
	n = snprintf(text, sizeof(text), "open %d, mine %d\n", open_before, fd);
	return write(fd, text, (size_t)n) == n ? 0 : 1;
}
