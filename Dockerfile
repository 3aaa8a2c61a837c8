# syntax=docker/dockerfile:1

# Both images are pinned by digest: the tag says what it is, the digest which one.
# The build runs on the builder's own processor and compiles for the target's.
FROM --platform=$BUILDPLATFORM golang:1.26.8-bookworm@sha256:a688600ca24f8a4d3ca77f95b0dd40704a9fc787c826660eb7ba0b641b8b175d AS build
WORKDIR /src
# A newer Go is a change to the line above, never a download in mid-build.
ENV CGO_ENABLED=0 GOTOOLCHAIN=local

# Modules change less often than sources, so they have a layer of their own.
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod \
    go mod download

COPY . .
ARG TARGETOS
ARG TARGETARCH
ARG VERSION=dev
RUN --mount=type=cache,target=/go/pkg/mod \
    --mount=type=cache,target=/root/.cache/go-build \
    GOOS=$TARGETOS GOARCH=$TARGETARCH \
    go build -trimpath -buildvcs=false -ldflags "-s -w -X main.version=$VERSION" -o /out/syncer ./cmd/syncer

FROM gcr.io/distroless/static-debian13:nonroot@sha256:e2e927ec666bae08560abb3c55d0659eceabb657f56b6782ab500a9fc7f555e3
ARG VERSION=dev
ARG REVISION=unknown
LABEL org.opencontainers.image.title="syncer" \
      org.opencontainers.image.description="Renders golden paths into repositories and keeps them current" \
      org.opencontainers.image.source="https://github.com/goldenpaths/syncer" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION"

COPY --from=build /out/syncer /usr/local/bin/syncer

# A repository or platform is mounted here.
WORKDIR /repository
USER 65532:65532
ENTRYPOINT ["/usr/local/bin/syncer"]
CMD ["--help"]
