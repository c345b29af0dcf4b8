#!/bin/bash
# SPDX-License-Identifier: MIT
# The programs of tests/badfree get the verdict that each states, and print and
# end as without the recorder; make check-leaks tries more compilers.
exec "$MT_TOP/tests/badfree/run" gcc:-O0 clang:-O2
