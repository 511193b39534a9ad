# One image target per process: docker build --target api -t forebay/api .
# The services run their TypeScript as it is (Node strips the types), so nothing is compiled. `pnpm deploy` would copy
# the workspace's packages under node_modules, where Node refuses to strip types: hence a filtered install.
# No `# syntax=` line: BuildKit's built-in frontend does everything used here, and a build needs one pull less.
ARG NODE_IMAGE=node:24-bookworm-slim

# --- What an install depends on: the lockfile and every package.json. A change of source leaves the outcome of this
# stage, and with it every install below, as it was.
FROM ${NODE_IMAGE} AS manifests
WORKDIR /forebay
COPY . .
RUN find apps packages bench infra -type f ! -name package.json -delete && find . -type d -empty -delete

FROM ${NODE_IMAGE} AS toolchain
WORKDIR /forebay
COPY package.json ./
RUN npm install --global "pnpm@$(node -p 'require("./package.json").devEngines.packageManager.version')"
COPY --from=manifests /forebay ./
# The store is a cache of the builder, on another file system than the image: hard links cannot cross.
ENV pnpm_config_store_dir=/pnpm/store pnpm_config_package_import_method=copy CI=true

# --- Production dependencies of each app and of the packages it uses. `--no-optional` drops the copy of Node that the
# workspace pins for machines without one.
FROM toolchain AS api-dependencies
RUN --mount=type=cache,id=forebay-pnpm,target=/pnpm/store \
    pnpm install --prod --frozen-lockfile --no-optional --filter "@forebay/api..."

FROM toolchain AS worker-dependencies
RUN --mount=type=cache,id=forebay-pnpm,target=/pnpm/store \
    pnpm install --prod --frozen-lockfile --no-optional --filter "@forebay/worker..."

FROM toolchain AS dlq-handler-dependencies
RUN --mount=type=cache,id=forebay-pnpm,target=/pnpm/store \
    pnpm install --prod --frozen-lockfile --no-optional --filter "@forebay/dlq-handler..."

FROM toolchain AS timekeeper-dependencies
RUN --mount=type=cache,id=forebay-pnpm,target=/pnpm/store \
    pnpm install --prod --frozen-lockfile --no-optional --filter "@forebay/timekeeper..."

FROM toolchain AS batch-runner-dependencies
RUN --mount=type=cache,id=forebay-pnpm,target=/pnpm/store \
    pnpm install --prod --frozen-lockfile --no-optional --filter "@forebay/batch-runner..."

FROM toolchain AS dashboard-dependencies
RUN --mount=type=cache,id=forebay-pnpm,target=/pnpm/store \
    pnpm install --prod --frozen-lockfile --no-optional --filter "@forebay/dashboard..."

FROM toolchain AS cli-dependencies
RUN --mount=type=cache,id=forebay-pnpm,target=/pnpm/store \
    pnpm install --prod --frozen-lockfile --no-optional --filter "@forebay/cli..."

FROM toolchain AS simulator-dependencies
RUN --mount=type=cache,id=forebay-pnpm,target=/pnpm/store \
    pnpm install --prod --frozen-lockfile --no-optional --filter "@forebay/ollama-simulator..."

# --- What all images share. Files belong to root: the process can read its code and not change it.
FROM ${NODE_IMAGE} AS service
WORKDIR /forebay
ENV NODE_ENV=production FOREBAY_DATA_DIR=/var/lib/forebay
# The folder of blobs is where compose mounts a volume: a new one takes its owner from here.
RUN mkdir -p /var/lib/forebay/blobs && chown -R node:node /var/lib/forebay
COPY infra/compose/healthcheck.mjs ./
USER node

FROM service AS api
COPY --from=api-dependencies /forebay ./
COPY packages ./packages
COPY apps/api ./apps/api
EXPOSE 8080 9101
HEALTHCHECK --interval=5s --timeout=5s --start-period=30s --retries=3 CMD ["node", "healthcheck.mjs", "API_OPS_PORT", "9101"]
CMD ["node", "apps/api/src/main.ts"]

FROM service AS worker
COPY --from=worker-dependencies /forebay ./
COPY packages ./packages
COPY apps/worker ./apps/worker
EXPOSE 9102
HEALTHCHECK --interval=5s --timeout=5s --start-period=30s --retries=3 CMD ["node", "healthcheck.mjs", "WORKER_OPS_PORT", "9102"]
CMD ["node", "apps/worker/src/main.ts"]

FROM service AS dlq-handler
COPY --from=dlq-handler-dependencies /forebay ./
COPY packages ./packages
COPY apps/dlq-handler ./apps/dlq-handler
EXPOSE 9103
HEALTHCHECK --interval=5s --timeout=5s --start-period=30s --retries=3 CMD ["node", "healthcheck.mjs", "DLQ_OPS_PORT", "9103"]
CMD ["node", "apps/dlq-handler/src/main.ts"]

FROM service AS timekeeper
COPY --from=timekeeper-dependencies /forebay ./
COPY packages ./packages
COPY apps/timekeeper ./apps/timekeeper
EXPOSE 9106
HEALTHCHECK --interval=5s --timeout=5s --start-period=30s --retries=3 CMD ["node", "healthcheck.mjs", "TIMEKEEPER_OPS_PORT", "9106"]
CMD ["node", "apps/timekeeper/src/main.ts"]

FROM service AS batch-runner
COPY --from=batch-runner-dependencies /forebay ./
COPY packages ./packages
COPY apps/batch-runner ./apps/batch-runner
EXPOSE 9107
HEALTHCHECK --interval=5s --timeout=5s --start-period=30s --retries=3 CMD ["node", "healthcheck.mjs", "BATCH_OPS_PORT", "9107"]
CMD ["node", "apps/batch-runner/src/main.ts"]

FROM service AS dashboard
COPY --from=dashboard-dependencies /forebay ./
COPY packages ./packages
COPY apps/dashboard ./apps/dashboard
EXPOSE 8081 9104
HEALTHCHECK --interval=5s --timeout=5s --start-period=30s --retries=3 CMD ["node", "healthcheck.mjs", "DASHBOARD_OPS_PORT", "9104"]
CMD ["node", "apps/dashboard/src/main.ts"]

# The `forebay` command: docker run --rm forebay/cli keys list
FROM service AS cli
COPY --from=cli-dependencies /forebay ./
COPY packages ./packages
COPY apps/cli ./apps/cli
ENTRYPOINT ["node", "apps/cli/src/main.ts"]
CMD ["--help"]

# An Ollama that needs no GPU.
FROM service AS simulator
COPY --from=simulator-dependencies /forebay ./
COPY packages ./packages
EXPOSE 11434
HEALTHCHECK --interval=5s --timeout=5s --start-period=30s --retries=3 CMD ["node", "healthcheck.mjs", "SIMULATOR_PORT", "11434", "/api/version"]
ENTRYPOINT ["node", "packages/ollama-simulator/src/main.ts"]
CMD ["--host", "0.0.0.0", "--port", "11434"]

# Makes the secrets and the certificate of a compose stack on its first start.
FROM ${NODE_IMAGE} AS init
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends openssl && rm -rf /var/lib/apt/lists/* \
    && mkdir -p /secrets/redis /secrets/dashboard /secrets/tls /models && chown -R node:node /secrets /models
COPY infra/compose/init.sh /usr/local/bin/forebay-init
USER node
CMD ["sh", "/usr/local/bin/forebay-init"]
