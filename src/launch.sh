#!/bin/sh
# Starts Muster with the memory settings that it is measured with: `src/launch.sh deno|node ENTRY [ARGUMENT...]`, where
# ENTRY is the file to run. The process that is started replaces this one.
#
# src/runtime/threads/memory.ts says what each V8 flag is for. glibc keeps freed blocks of up to 32 MB once it has seen one
# of that size, unless both limits are set.
set -eu
runtime=$1
shift
export MALLOC_MMAP_THRESHOLD_=131072 MALLOC_TRIM_THRESHOLD_=262144
flags="--max-semi-space-size=4 --no-allocation-site-pretenuring --expose-gc --heap-growing-percent=40"
case $runtime in
  deno)
    # Deno looks for a newer version of itself half a second after each start. Muster calls nobody unasked.
    export DENO_NO_UPDATE_CHECK=1
    exec deno run -A --no-check --v8-flags="$(printf %s "$flags" | tr ' ' ',')" "$@"
    ;;
  node) exec node --disable-warning=ExperimentalWarning $flags "$@" ;;
  *)
    echo "The runtime is \"$runtime\": it should be deno or node" >&2
    exit 2
    ;;
esac
