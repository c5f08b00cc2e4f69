# docker build --build-arg VERSION="$(git describe --tags --always)" -t esrule .
# docker run --rm -e ESRULE_ELASTICSEARCH_URL=https://elastic.example:9200 -e ESRULE_ELASTICSEARCH_API_KEY=… esrule

FROM --platform=$BUILDPLATFORM golang:1.26 AS build
WORKDIR /src
# The modules are a layer of their own: they change less often than the code.
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG TARGETOS
ARG TARGETARCH
ARG VERSION=dev
RUN CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH \
    go build -trimpath -buildvcs=false -ldflags "-s -w -X main.version=$VERSION" -o /esrule ./cmd/esrule

# Nothing but the program, which holds the time zones too, and the certificates that it trusts.
FROM scratch
ARG VERSION=dev
LABEL org.opencontainers.image.title="esrule" \
      org.opencontainers.image.description="Runs detection rules over Elasticsearch without a licensed detection engine" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /src/LICENSE /src/rules/README.md /src/rules/LICENSE-ELASTIC-2.0.md /licenses/
COPY --from=build /esrule /esrule
# A number, so that Kubernetes can tell that it is not root (runAsNonRoot).
USER 65532:65532
ENTRYPOINT ["/esrule"]
CMD ["run"]
