/* SPDX-License-Identifier: MIT */
/*
 * The main program of a fuzz target outside the fuzzer: gives it each file
 * named, and each in the directories named.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned int files;

/* Give the target one file; false: it can't be read as one. */
static int run_file(const char *path)
{
	FILE *f = fopen(path, "rb");
	size_t n = 0, room = 0, got = 1;
	uint8_t *data = NULL;

	while (f && got) {
		if (n == room) {
			room = room * 2 + 4096;
			data = realloc(data, room);
			if (!data)
				abort();
		}
		got = fread(data + n, 1, room - n, f);
		n += got;
	}
	if (!f || ferror(f))
		return -1;
	fclose(f);
	LLVMFuzzerTestOneInput(data, n);
	free(data);
	files++;
	return 0;
}

/* Give the target every file of a directory. */
static int run_directory(const char *path, DIR *d)
{
	struct dirent *entry;
	char name[4096];
	int status = 0;

	while ((entry = readdir(d))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
		status |= run_file(name);
	}
	closedir(d);
	return status;
}

int main(int argc, char **argv)
{
	int status = 0;

	for (int i = 1; i < argc; i++) {
		DIR *d = opendir(argv[i]);

		status |= d ? run_directory(argv[i], d) : run_file(argv[i]);
	}
	printf("%u files\n", files);
	return status || !files;
}
