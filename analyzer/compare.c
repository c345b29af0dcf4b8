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

/* The ranks of `a` among both samples, summed, ties at their mean; and the sum
 * of t^3 - t over the groups of t that are tied. */
static double rank_sum(const double *a, size_t n, const double *b, size_t m,
		       double *ties)
{
	size_t i = 0, j = 0;
	double rank = 1, sum = 0;

	*ties = 0;
	while (i < n || j < m) {
		double value = j == m || (i < n && a[i] <= b[j]) ? a[i] : b[j];
		size_t from_a = 0, from_b = 0;
		double t;

		while (i + from_a < n && a[i + from_a] == value)
			from_a++;
		while (j + from_b < m && b[j + from_b] == value)
			from_b++;
		t = (double)(from_a + from_b);
		sum += (double)from_a * (rank + (t - 1) / 2);
		*ties += t * t * t - t;
		rank += t;
		i += from_a;
		j += from_b;
	}
	return sum;
}

/*
 * Return the probability that U is at most `u`: of all ways to order n and m
 * values, count those by U, adding one value after the other.
 */
static double exact_tail(size_t n, size_t m, double u)
{
	size_t most = n * m;
	double *ways = util_alloc((most + 1) * (n + 1), sizeof(*ways));
	double all = 0, tail = 0;

	/* ways[k][u]: k values of `a` so far, with U = u among them; each
	 * value of `b` in turn may have 0 to k of `a` before it. */
	for (size_t k = 0; k <= n; k++)
		ways[k * (most + 1)] = 1;
	for (size_t j = 1; j <= m; j++)
		for (size_t k = 1; k <= n; k++)
			for (size_t s = 0; s <= most; s++) {
				double *to = &ways[k * (most + 1) + s];

				/* count(k, j, s) = count(k - 1, j, s - j)
				 *		  + count(k, j - 1, s) */
				if (s >= j)
					*to += ways[(k - 1) * (most + 1) + s -
						    j];
			}
	for (size_t s = 0; s <= most; s++) {
		all += ways[n * (most + 1) + s];
		if ((double)s <= u)
			tail += ways[n * (most + 1) + s];
	}
	free(ways);
	return tail / all;
}

double compare_mann_whitney(const double *a, size_t n, const double *b,
			    size_t m)
{
	double x = (double)n, y = (double)m, count = x + y, ties, u, p, sigma;

	if (!n || !m)
		return 1;
	u = rank_sum(a, n, b, m, &ties) - x * (x + 1) / 2;
	u = u < x * y - u ? u : x * y - u;
	if (ties == 0 && n <= MAX_EXACT && m <= MAX_EXACT) {
		p = 2 * exact_tail(n, m, u);
		return p < 1 ? p : 1;
	}
	sigma = sqrt(x * y / 12 * (count + 1 - ties / (count * (count - 1))));
	if (!(sigma > 0))
		return 1;
	/* Half a step towards the mean: U is a whole number. */
	p = erfc((x * y / 2 - u - 0.5) / sigma / M_SQRT2);
	return p < 1 ? p : 1;
}
