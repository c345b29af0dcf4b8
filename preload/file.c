/* SPDX-License-Identifier: MIT */
/* A file of ours in a program that may close any descriptor; see file.h. */
#include "file.h"

#include <fcntl.h>
#include <string.h>

#include "sys.h"

/* Whether the descriptor still is the file. */
static bool is_ours(const struct mt_file *file)
{
	uint64_t id[2];

	return file->fd >= 0 && sys_file_id(file->fd, id) &&
	       id[0] == file->id[0] && id[1] == file->id[1];
}

int mt_file_create(struct mt_file *file, const char *path)
{
	int fd = sys_open(path, O_RDWR | O_CREAT | O_EXCL, 0666);

	file->fd = -1;
	if (fd < 0)
		return fd;
	file->fd = sys_move_fd(fd);
	file->path[0] = '\0';
	sys_append(file->path, sizeof(file->path), path);
	sys_file_id(file->fd, file->id);
	return 0;
}

int mt_file_fd(struct mt_file *file)
{
	if (is_ours(file))
		return file->fd;
	file->fd = sys_open(file->path, O_RDWR, 0);
	if (file->fd < 0)
		return -1;
	file->fd = sys_move_fd(file->fd);
	if (is_ours(file))
		return file->fd;
	sys_close(file->fd);
	file->fd = -1;
	return -1;
}

void mt_file_close(struct mt_file *file)
{
	if (is_ours(file))
		sys_close(file->fd);
	file->fd = -1;
}
