#!/bin/bash
# SPDX-License-Identifier: MIT
# The gate's SARIF is as the schema of SARIF 2.1.0 says, whatever the verdict,
# with and without source lines. The schema is in Microsoft's package.
# shellcheck source=tests/integration/lib.sh
. "$MT_TOP/tests/integration/lib.sh"

npm install --prefix "$PWD/x" --no-audit --no-fund --ignore-scripts \
	@microsoft/jest-sarif@1.0.0-beta.0 >npm.out 2>&1 ||
	fail "npm: $(tail -n 3 npm.out)"
schema=$PWD/x/node_modules/@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json

# Check traces, and what is written by the schema: valid STATUS ARGUMENTS...
valid()
{
	local want=$1

	shift
	"$REPORT" check --sarif s.sarif "$@" >out 2>err
	[ $? = "$want" ] || fail "check $*: not $want: $(cat out err)"
	python3 - "$schema" s.sarif <<'END' || fail "check $*: not by the schema"
import json, sys, jsonschema
schema, file = (json.load(open(name)) for name in sys.argv[1:])
wrong = list(jsonschema.Draft4Validator(schema).iter_errors(file))
for w in wrong:
    print(list(w.path), w.message[:200])
sys.exit(bool(wrong))
END
}

for name in chain ring interior kept abort; do
	MEMTRACE=out=$name.zst LD_PRELOAD=$LIB "$HOST/leaks" $name >/dev/null 2>&1
done
cp "$HOST/leaks" stripped
strip stripped
MEMTRACE=out=stripped.zst LD_PRELOAD=$LIB ./stripped chain >/dev/null
printf '#include <stdlib.h>\nint main(void)\n{\n\tchar *volatile p = malloc(9);\n\n\tfree(p);\n\tfree(p);\n}\n' \
	>twice.c
cc -g -w -o twice twice.c || fail "does not build"
MEMTRACE=out=twice.zst LD_PRELOAD=$LIB ./twice >/dev/null 2>&1
mkdir none
valid 3 --max-peak 1 --max-allocs 1 --max-temporary 0 --leaks all \
	{chain,ring,interior,kept,abort}.zst
valid 3 stripped.zst
valid 3 twice.zst
valid 0 kept.zst
valid 4 abort.zst
valid 4 none
valid 0 --update-baseline base chain.zst
valid 3 --baseline base --strict-baseline chain.zst ring.zst interior.zst
valid 3 --baseline base --strict-baseline ring.zst

# The schema is not one that takes everything.
sed -i 's/"level": "error"/"level": "fatal"/' s.sarif
python3 -c 'import json, sys, jsonschema
jsonschema.validate(json.load(open("s.sarif")), json.load(open(sys.argv[1])))' \
	"$schema" 2>/dev/null && fail "the schema takes what is wrong"
exit 0
