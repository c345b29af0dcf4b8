#!/bin/bash
# SPDX-License-Identifier: MIT
# The USDT probes: the notes say where they are and what they carry; a debugger
# that attaches to them, and a tracer in the kernel where one may be used, is
# told of each block that is recorded, and of no other.
# shellcheck source=tests/integration/lib.sh
. "$MT_TOP/tests/integration/lib.sh"

# One note a probe, its arguments where the ABI has those of a function: the
# OpenTelemetry profiler reads them from there.
LC_ALL=C readelf -n "$LIB" | sed -n '/\.note\.stapsdt/,$p' |
	grep -E '^ +(Provider|Name|Location|Arguments):' |
	sed 's/, Base: .*, Semaphore: 0x0*[1-9a-f][0-9a-f]*$/ and a semaphore/
		s/0x[0-9a-f]*/ADDRESS/; s/^ *//' >notes
diff - notes >out <<'END' || fail "other notes, >: $(cat out)"
Provider: otel_memory
Name: alloc
Location: ADDRESS and a semaphore
Arguments: 8@%rdi 8@%rsi 8@%rdx
Provider: otel_memory
Name: free
Location: ADDRESS and a semaphore
Arguments: 8@%rdi
END
# The kernel counts there: the section is of the file, and can be written.
readelf -SW "$LIB" | grep -E ' \.probes +PROGBITS .* WA ' >out ||
	fail "no section for semaphores"

exec python3 "$MT_TOP/tests/integration/probes.py" "$HOST"
