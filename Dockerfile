# make image, or:
# docker build --build-arg VERSION="$(git describe --tags --always --dirty)" --build-arg COMMIT="$(git rev-parse HEAD)" -t esrule .
# docker run --rm -e ESRULE_ELASTICSEARCH_URL=https://elastic.example:9200 -e ESRULE_ELASTICSEARCH_API_KEY=… esrule
#
# Both builders take this file: BuildKit, and Docker's older one, which knows neither cache mounts nor BUILDPLATFORM.
# So layers are what makes the second build fast, and without BUILDPLATFORM it builds on the engine's own platform.

FROM --platform=${BUILDPLATFORM:-linux} golang:1.26 AS modules
WORKDIR /src
ENV CGO_ENABLED=0
COPY go.mod go.sum ./
RUN go mod download

# What the program imports from elsewhere. The list rarely changes, so the layer that compiles it is reused.
FROM modules AS imports
COPY . .
ARG TARGETOS
ARG TARGETARCH
RUN GOOS=$TARGETOS GOARCH=$TARGETARCH \
    go list -deps -f '{{if not (and .Module .Module.Main)}}{{.ImportPath}}{{end}}' ./cmd/esrule >/imports

FROM modules AS build
ARG TARGETOS
ARG TARGETARCH
COPY --from=imports /imports /imports
RUN GOOS=$TARGETOS GOARCH=$TARGETARCH go build -trimpath $(cat /imports)
COPY . .
ARG VERSION=dev
ARG COMMIT=
RUN GOOS=$TARGETOS GOARCH=$TARGETARCH go build -trimpath -buildvcs=false \
    -ldflags "-s -w -X main.version=$VERSION -X main.commit=$COMMIT" -o /esrule ./cmd/esrule

# Nothing but the program, which holds the time zones too, and the certificates that it trusts.
FROM scratch
ARG VERSION=dev
ARG COMMIT=
LABEL org.opencontainers.image.title="esrule" \
      org.opencontainers.image.description="Runs detection rules over Elasticsearch without a licensed detection engine" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$COMMIT" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /src/LICENSE /src/NOTICE /src/rules/README.md /src/rules/LICENSE-ELASTIC-2.0.md /licenses/
COPY --from=build /esrule /esrule
# A number, so that Kubernetes can tell that it is not root (runAsNonRoot).
USER 65532:65532
ENTRYPOINT ["/esrule"]
CMD ["run"]
