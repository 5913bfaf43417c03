# syntax=docker/dockerfile:1
FROM rust:1.95-slim-bookworm AS build
WORKDIR /src
RUN apt-get update \
    && apt-get install --yes --no-install-recommends build-essential=12.* \
    && rm -rf /var/lib/apt/lists/*
COPY . .
RUN cargo build --release --locked

FROM debian:bookworm-slim
RUN groupadd --gid 10001 schedulezap \
    && useradd --uid 10001 --gid 10001 --no-create-home --shell /usr/sbin/nologin schedulezap \
    && install -d -m 0700 -o schedulezap -g schedulezap /var/lib/schedulezap/data
COPY --from=build /src/target/release/schedulezap /usr/local/bin/schedulezap
USER 10001:10001
# Everything that is written goes to data/ here; the rest of the image may be mounted read-only.
WORKDIR /var/lib/schedulezap
VOLUME /var/lib/schedulezap/data
ENV HTTP_LISTEN=0.0.0.0:8988
EXPOSE 8988
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s CMD ["schedulezap", "check", "--health"]
ENTRYPOINT ["schedulezap"]
CMD ["serve"]
