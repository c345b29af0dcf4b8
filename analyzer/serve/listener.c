/* SPDX-License-Identifier: MIT */
/* A socket that is listened on; see listener.h. */
#include "listener.h"

#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG 128

/* Fill `e` with what the system says; returns -1. */
static int refuse(struct error *e, const char *name)
{
	return error_set(e, ERROR_NO_OFFSET, "can't listen on %s: %s", name,
			 strerror(errno));
}

/* Tell whether somebody answers at a socket of the file system. */
static bool is_taken(const struct sockaddr_un *a)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool taken = fd >= 0 &&
		     connect(fd, (const struct sockaddr *)a, sizeof(*a)) == 0;

	if (fd >= 0)
		close(fd);
	return taken;
}

/* Remove a socket that nobody listens on any more; no other file. */
static void remove_stale(const struct sockaddr_un *a)
{
	struct stat st;

	if (lstat(a->sun_path, &st) == 0 && S_ISSOCK(st.st_mode) &&
	    !is_taken(a))
		unlink(a->sun_path);
}

/* Listen on a path. */
static int open_unix(struct listener *l, const char *path, struct error *e)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	mode_t mask;
	int status;

	if (!*path || strlen(path) >= sizeof(a.sun_path))
		return error_set(e, ERROR_NO_OFFSET,
				 "unix: takes a path of up to %zu bytes",
				 sizeof(a.sun_path) - 1);
	strcpy(a.sun_path, path);
	remove_stale(&a);
	l->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (l->fd < 0)
		return refuse(e, path);
	mask = umask(0177);
	status = bind(l->fd, (const struct sockaddr *)&a, sizeof(a));
	umask(mask);
	if (status || listen(l->fd, BACKLOG)) {
		refuse(e, path);
		close(l->fd);
		return -1;
	}
	l->path = util_copy(path, strlen(path));
	l->url = util_format("unix:%s", path);
	return 0;
}

/* Return the URL of a bound socket. */
static char *url_of(int fd)
{
	struct sockaddr_storage a;
	socklen_t n = sizeof(a);
	char host[NI_MAXHOST], port[NI_MAXSERV];

	if (getsockname(fd, (struct sockaddr *)&a, &n) ||
	    getnameinfo((struct sockaddr *)&a, n, host, sizeof(host), port,
			sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV))
		return util_format("http://?/");
	return strchr(host, ':') ? util_format("http://[%s]:%s/", host, port)
				 : util_format("http://%s:%s/", host, port);
}

/* Bind to one address and listen; false with errno. */
static bool listen_on(struct listener *l, const struct addrinfo *a)
{
	int one = 1, saved;

	l->fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC,
		       a->ai_protocol);
	if (l->fd < 0)
		return false;
	setsockopt(l->fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(l->fd, a->ai_addr, a->ai_addrlen) == 0 &&
	    listen(l->fd, BACKLOG) == 0)
		return true;
	saved = errno;
	close(l->fd);
	errno = saved;
	return false;
}

/* Listen on a host's port. */
static int open_tcp(struct listener *l, const char *name, const char *host,
		    const char *port, struct error *e)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	struct addrinfo *found;
	int status = getaddrinfo(host, port, &hints, &found);
	bool listens = false;

	if (status)
		return error_set(e, ERROR_NO_OFFSET, "can't listen on %s: %s",
				 name, gai_strerror(status));
	for (const struct addrinfo *a = found; a && !listens; a = a->ai_next)
		listens = listen_on(l, a);
	freeaddrinfo(found);
	if (!listens)
		return refuse(e, name);
	l->url = url_of(l->fd);
	return 0;
}

/* Tell whether a text is a port. */
static bool is_port(const char *text)
{
	size_t n = strspn(text, "0123456789");

	return n && n < 6 && !text[n] && atoi(text) < 65536;
}

int listener_open(struct listener *l, const char *name, struct error *e)
{
	const char *colon = strrchr(name, ':');
	const char *port = colon ? colon + 1 : name;
	bool bracket = *name == '[' && colon && colon[-1] == ']';
	char *host;
	int status;

	*l = (struct listener){.fd = -1};
	if (util_starts(name, "unix:"))
		return open_unix(l, name + 5, e);
	if (!is_port(port) || colon == name)
		return error_set(e, ERROR_NO_OFFSET,
				 "can't listen on '%s': say 127.0.0.1:PORT, "
				 "HOST:PORT or unix:PATH; 0.0.0.0:PORT is all "
				 "the world",
				 name);
	host = colon ? util_copy(name + bracket,
				 (size_t)(colon - name) - 2u * bracket)
		     : util_copy("127.0.0.1", 9);
	status = open_tcp(l, name, host, port, e);
	free(host);
	return status;
}

void listener_close(struct listener *l)
{
	if (l->path)
		unlink(l->path);
	free(l->path);
	free(l->url);
	*l = (struct listener){.fd = -1};
}
