/* SPDX-License-Identifier: MIT */
/* Statistics of few runs; see compare.h. */
#include "compare.h"

#include <math.h>
#include <stdlib.h>

#include "util.h"

/* Up to so many values a side the test is exact. */
#define MAX_EXACT 25

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

void compare_sort(double *v, size_t n)
{
	qsort(v, n, sizeof(*v), compare);
}

double compare_median(const double *v, size_t n)
{
	return n % 2 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}

bool compare_interval(const double *v, size_t n, double *low, double *high)
{
	/* P(the k-th value from below is above the median), binomial. */
	double term = pow(0.5, (double)n), below = term;
	size_t k = 0;

	if (2 * below > 0.05)
		return false;
	while (k < n / 2) {
		term *= (double)(n - k) / (double)(k + 1);
		if (2 * (below + term) > 0.05)
			break;
		below += term;
		k++;
	}
	*low = v[k];
	*high = v[n - 1 - k];
	return true;
}

/* Two samples ranked as one. */
struct ranks {
	/* Of all values upward, doubled: ties, which have the mean of their
	 * places, are whole numbers then. */
	unsigned int *twice;
	size_t count;
	size_t sum;  /* of those of the first sample, doubled as well */
	double ties; /* the sum of t^3 - t over the groups of t that are tied */
};

/* Rank two sorted samples; free `twice`. */
static struct ranks rank(const double *a, size_t n, const double *b, size_t m)
{
	struct ranks r = {.twice = util_alloc(n + m, sizeof(*r.twice))};
	size_t i = 0, j = 0;

	while (i < n || j < m) {
		double value = j == m || (i < n && a[i] <= b[j]) ? a[i] : b[j];
		size_t from_a = 0, from_b = 0, tied;
		unsigned int twice;

		while (i + from_a < n && a[i + from_a] == value)
			from_a++;
		while (j + from_b < m && b[j + from_b] == value)
			from_b++;
		tied = from_a + from_b;
		twice = (unsigned int)(2 * r.count + tied + 1);
		for (size_t k = 0; k < tied; k++)
			r.twice[r.count++] = twice;
		r.sum += from_a * twice;
		r.ties += (double)tied * (double)tied * (double)tied -
			  (double)tied;
		i += from_a;
		j += from_b;
	}
	return r;
}

/* Return how far a doubled sum of n ranks is from the mean of all such. */
static size_t distance(const struct ranks *r, size_t n, size_t sum)
{
	size_t mean = n * (r->count + 1);

	return sum > mean ? sum - mean : mean - sum;
}

/*
 * Return the probability that n of the values, taken at random, have ranks
 * whose sum is as far from the mean as that of the first sample, or farther:
 * count the ways to each sum, letting in one value after the other. A double
 * counts exactly up to 2^53, and there are less than 2^47 ways.
 */
static double exact_p(const struct ranks *r, size_t n)
{
	size_t sums = n * r->twice[r->count - 1] + 1, reached = 0;
	/* ways[k * sums + s]: to take k values whose ranks sum up to s. */
	double *ways = util_alloc((n + 1) * sums, sizeof(*ways));
	size_t far = distance(r, n, r->sum);
	double all = 0, extreme = 0;

	ways[0] = 1;
	for (size_t i = 0; i < r->count; i++) {
		size_t next = r->twice[i];

		reached += next;
		for (size_t k = i < n ? i + 1 : n; k > 0; k--) {
			const double *without = &ways[(k - 1) * sums];
			double *with = &ways[k * sums];

			for (size_t s = next; s < sums && s <= reached; s++)
				with[s] += without[s - next];
		}
	}
	for (size_t s = 0; s < sums; s++) {
		all += ways[n * sums + s];
		if (distance(r, n, s) >= far)
			extreme += ways[n * sums + s];
	}
	free(ways);
	return extreme / all;
}

/* Return about the same by the normal distribution. */
static double normal_p(const struct ranks *r, size_t n, size_t m)
{
	double x = (double)n, y = (double)m, count = x + y;
	double sigma = sqrt(x * y / 12 *
			    (count + 1 - r->ties / (count * (count - 1))));
	double p;

	if (!(sigma > 0))
		return 1;
	/* Half a step towards the mean: without ties U is a whole number. */
	p = erfc(((double)distance(r, n, r->sum) / 2 - 0.5) / sigma / M_SQRT2);
	return p < 1 ? p : 1;
}

double compare_mann_whitney(const double *a, size_t n, const double *b,
			    size_t m)
{
	struct ranks r;
	double p;

	if (!n || !m)
		return 1;
	r = rank(a, n, b, m);
	p = n <= MAX_EXACT && m <= MAX_EXACT ? exact_p(&r, n)
					     : normal_p(&r, n, m);
	free(r.twice);
	return p;
}
