/* SPDX-License-Identifier: MIT */
/*
 * A vector that grows by one element at a time: realloc() is called for each,
 * which the report shows as most allocated, both by calls and by bytes.
 */
#include <stdio.h>
#include <stdlib.h>

#define SAMPLES 5000

struct samples {
	double *at;
	size_t count;
};

/* Append a sample; false when memory is out. */
static int append(struct samples *s, double value)
{
	double *at = realloc(s->at, (s->count + 1) * sizeof(*at));

	if (!at)
		return 0;
	s->at = at;
	s->at[s->count++] = value;
	return 1;
}

int main(void)
{
	struct samples s = {0};
	double sum = 0;

	for (unsigned int i = 0; i < SAMPLES; i++)
		if (!append(&s, i * 0.5))
			return 1;
	for (size_t i = 0; i < s.count; i++)
		sum += s.at[i];
	printf("%zu samples, mean %.1f\n", s.count, sum / (double)s.count);
	free(s.at);
	return 0;
}
