# syntax=docker/dockerfile:1
# For any architecture of the base image: what is native comes from npm for the one that it is built on.

FROM node:24-bookworm-slim AS build
WORKDIR /app
# Nothing is compiled: better-sqlite3 is Node 20's, its successor on Node-API comes built, hnswlib-node is for benchmarks alone.
COPY package.json package-lock.json .npmrc ./
COPY packages/client/package.json packages/client/
RUN npm ci --ignore-scripts
COPY . .
RUN npm run build
RUN npm prune --omit=dev --ignore-scripts && rm -r node_modules/better-sqlite3
RUN cd node_modules/onnxruntime-node/bin/napi-v* \
 && find . -mindepth 2 -maxdepth 2 ! -path "./$(node -p 'process.platform + "/" + process.arch')" -exec rm -r {} + \
 && find . -mindepth 1 -maxdepth 1 -empty -delete

FROM node:24-bookworm-slim
WORKDIR /app
ENV NODE_ENV=production HOST=0.0.0.0 PORT=8080 MIXSPACE_INDEX_DIR=/data
COPY --from=build /app/package.json /app/LICENSE /app/NOTICE ./
COPY --from=build /app/node_modules ./node_modules
# What a running service pulls comes here, where MIXSPACE_HUB=yes lets it.
COPY --from=build --chown=node:node /app/models ./models
COPY --from=build /app/migrations ./migrations
COPY --from=build /app/dist ./dist
RUN mkdir /data && chown node:node /data
USER node
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/healthz`).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
# Listening beyond the loopback, it demands MIXSPACE_API_KEYS, a file of them (MIXSPACE_API_KEYS_FILE), or MIXSPACE_ALLOW_OPEN=yes.
CMD ["node", "dist/main.js", "serve"]
