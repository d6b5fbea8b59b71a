# The binary alone, static, without a shell and without root.
FROM rust:1.95-slim-bookworm AS build
WORKDIR /source
COPY . .
# Static for the machine's own target; the target is named so that build scripts and macros are not linked statically too.
RUN target="$(rustc --print host-tuple)" \
    && RUSTFLAGS="-C target-feature=+crt-static" cargo build --release --locked --target "$target" \
    && cp "target/$target/release/nexafi-gen" /nexafi-gen

FROM scratch
COPY --from=build /nexafi-gen /usr/local/bin/nexafi-gen
USER 65532:65532
WORKDIR /work
ENTRYPOINT ["/usr/local/bin/nexafi-gen"]
CMD ["lint"]
