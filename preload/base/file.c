/* SPDX-License-Identifier: MIT */
/* A file of ours in a program that may close any descriptor; see file.h. */
#include "file.h"

#include <fcntl.h>
#include <string.h>

#include "sys.h"

/* Whether a descriptor is the file's. */
static bool is_ours(const struct mt_file *file, int fd)
{
	uint64_t id[2];

	return fd >= 0 && sys_file_id(fd, id) && id[0] == file->id[0] &&
	       id[1] == file->id[1];
}

int mt_file_create(struct mt_file *file, const char *path)
{
	int fd = sys_open(path, O_RDWR | O_CREAT | O_EXCL, 0666);

	file->fd = -1;
	if (fd < 0)
		return fd;
	sys_file_id(fd, file->id);
	file->path[0] = '\0';
	sys_append(file->path, sizeof(file->path), path);
	file->fd = sys_move_fd(fd);
	return 0;
}

int mt_file_fd(struct mt_file *file)
{
	int fd, high;

	if (is_ours(file, file->fd))
		return file->fd;
	file->fd = -1;
	fd = sys_open(file->path, O_RDWR, 0);
	if (!is_ours(file, fd)) {
		if (fd >= 0)
			sys_close(fd);
		return -1;
	}
	high = sys_move_fd(fd);
	if (high >= 0)
		return file->fd = high;
	return sys_open(file->path, O_RDWR, 0);
}

void mt_file_done(const struct mt_file *file, int fd)
{
	if (fd >= 0 && fd != file->fd)
		sys_close(fd);
}

void mt_file_close(struct mt_file *file)
{
	if (is_ours(file, file->fd))
		sys_close(file->fd);
	file->fd = -1;
}
