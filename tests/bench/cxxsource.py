# SPDX-License-Identifier: MIT
"""C++ for cppcheck to read: what it allocates is the same every time."""

CXX_FUNCTION = """
static int walk%(i)d(const node *n, int depth)
{
	int sum = %(i)d;
	for (int k = 0; k < depth; k++) {
		if (n && n->key > k * %(a)d)
			sum += larger<int>(n->key, sum %% %(b)d);
		else if (n && n->left)
			sum -= n->left->key << %(c)d;
		switch (sum %% 4) {
		case 0: sum += depth; break;
		case 1: sum ^= k; break;
		default: sum--;
		}
	}
	return n && depth ? sum + walk%(before)d(n->right, depth - 1) : sum;
}
"""


def cxx_source(functions):
    parts = ["struct node { int key; node *left; node *right; };\n"
             "template <class T> T larger(T a, T b) "
             "{ return a < b ? b : a; }\n"]
    for i in range(functions):
        parts.append(CXX_FUNCTION % {
            "i": i, "a": i % 7 + 1, "b": i % 13 + 2, "c": i % 5,
            "before": max(i - 1, 0)})
    return "".join(parts)
