/* SPDX-License-Identifier: MIT */
/*
 * Bytes sent to an HTTP server; see upload.h. libcurl is loaded when it is
 * needed: with all that it needs it takes longer to load than the rest of the
 * program, and one command of many uses it.
 */
#include "upload.h"

#include <curl/curl.h>
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#define LIBRARY "libcurl.so.4"
#define SECONDS 30

/* What of it is used. */
static struct {
	typeof(&curl_easy_init) init;
	typeof(&curl_easy_setopt) setopt;
	typeof(&curl_easy_perform) perform;
	typeof(&curl_easy_getinfo) getinfo;
	typeof(&curl_easy_strerror) strerror;
	typeof(&curl_easy_cleanup) cleanup;
	typeof(&curl_slist_append) append;
	typeof(&curl_slist_free_all) free_all;
} curl;

/* Find a function of the library; false: it has none of that name. */
static bool find(void *library, const char *name, void *pointer)
{
	void *p = dlsym(library, name);

	memcpy(pointer, &p, sizeof(p));
	return p != NULL;
}

/* Load the library, once. */
static int load(struct error *e)
{
	void *l = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);

	if (l && find(l, "curl_easy_init", &curl.init) &&
	    find(l, "curl_easy_setopt", &curl.setopt) &&
	    find(l, "curl_easy_perform", &curl.perform) &&
	    find(l, "curl_easy_getinfo", &curl.getinfo) &&
	    find(l, "curl_easy_strerror", &curl.strerror) &&
	    find(l, "curl_easy_cleanup", &curl.cleanup) &&
	    find(l, "curl_slist_append", &curl.append) &&
	    find(l, "curl_slist_free_all", &curl.free_all))
		return 0;
	return error_set(e, ERROR_NO_OFFSET, "pushing needs " LIBRARY ": %s",
			 dlerror());
}

/* The start of an answer, to be shown if it is a refusal. */
struct answer {
	char text[128];
	size_t n;
};

static size_t take(char *bytes, size_t size, size_t n, void *context)
{
	struct answer *a = context;
	size_t room = sizeof(a->text) - 1 - a->n;
	size_t part = size * n < room ? size * n : room;

	memcpy(a->text + a->n, bytes, part);
	a->n += part;
	a->text[strcspn(a->text, "\r\n")] = '\0';
	return size * n;
}

/* Say what to send, and where. */
static void set_up(CURL *c, const char *url, const void *bytes, size_t n,
		   struct curl_slist *headers, struct answer *a)
{
	curl.setopt(c, CURLOPT_URL, url);
	curl.setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
	curl.setopt(c, CURLOPT_POST, 1L);
	curl.setopt(c, CURLOPT_POSTFIELDS, bytes);
	curl.setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)n);
	curl.setopt(c, CURLOPT_HTTPHEADER, headers);
	curl.setopt(c, CURLOPT_TIMEOUT, (long)SECONDS);
	curl.setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl.setopt(c, CURLOPT_WRITEFUNCTION, take);
	curl.setopt(c, CURLOPT_WRITEDATA, a);
}

int upload_post(const char *url, const char *type, const void *bytes, size_t n,
		struct error *e)
{
	char *header = util_format("Content-Type: %s", type);
	struct curl_slist *headers;
	struct answer a = {0};
	CURLcode code;
	long status = 0;
	CURL *c;

	if (!curl.free_all && load(e)) {
		free(header);
		return -1;
	}
	c = curl.init();
	headers = curl.append(NULL, header);
	if (!c || !headers)
		abort();
	set_up(c, url, bytes, n, headers, &a);
	code = curl.perform(c);
	curl.getinfo(c, CURLINFO_RESPONSE_CODE, &status);
	if (code)
		error_set(e, ERROR_NO_OFFSET, "can't push to %.100s: %s", url,
			  curl.strerror(code));
	else if (status < 200 || status > 299)
		error_set(e, ERROR_NO_OFFSET, "the server answers %ld: %s",
			  status, a.text);
	curl.cleanup(c);
	curl.free_all(headers);
	free(header);
	return error_is_set(e) ? -1 : 0;
}
