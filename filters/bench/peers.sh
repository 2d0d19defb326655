#!/bin/sh
# Builds the filters of other SDKs: peers.sh YARDSTICK DIR. It skips SDKs whose toolchain is missing.
# Needs npm; cargo and rustc with the target wasm32-wasi (Debian: cargo rustc libstd-rust-dev-wasm32); go 1.24.
set -eu
yardstick=$(cd "$1" && pwd)
mkdir -p "$2"
out=$(cd "$2" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp -r "$yardstick/peers/." "$work"

cd "$work/gcore"
npm init -y >/dev/null
npm install --silent assemblyscript@0.28.20 @gcoredev/proxy-wasm-sdk-as@1.2.3 @assemblyscript/wasi-shim@0.1.0
for job in a b c d e; do npx asc $job.ts --config asconfig.json -O3 -o "$out/gcore_$job.wasm"; done

# There is no job c, because this SDK swaps get and set of shared data.
cd "$work/solo"
npm init -y >/dev/null
npm install --silent assemblyscript@0.17.14 @solo-io/proxy-runtime@0.1.8
for job in a b d e; do npx asc $job.ts -b "$out/solo_$job.wasm" --use abort=abort_proc_exit -O3; done

if command -v go >/dev/null; then
  cd "$work/go"
  sed -i '/^replace/d; /^require/d' go.mod
  if go get github.com/proxy-wasm/proxy-wasm-go-sdk@latest; then
    for job in a b c d e; do GOOS=wasip1 GOARCH=wasm go build -buildmode=c-shared -tags $job -o "$out/go_$job.wasm" .; done
  fi
fi

if command -v cargo >/dev/null; then
  cd "$work/rust"
  mkdir -p src
  mv lib.rs src/
  # The target wasm32-wasi ends with Rust 1.83. So use versions of the dependencies that this compiler supports.
  sed -i "s/^edition.*/&\nrust-version = \"$(rustc --version | cut -d' ' -f2)\"/" Cargo.toml
  export CARGO_RESOLVER_INCOMPATIBLE_RUST_VERSIONS=fallback
  # An old cargo cannot use the registry. FETCH_CARGO=path names a newer one that fetches the dependencies.
  if [ -n "${FETCH_CARGO:-}" ]; then
    mkdir -p .cargo
    "$FETCH_CARGO" vendor -q vendor >.cargo/config.toml
    rm -f Cargo.lock
  fi
  for job in a b c d e; do
    cargo build --release --target wasm32-wasi --features $job
    cp target/wasm32-wasi/release/f.wasm "$out/rust_$job.wasm"
  done
fi
