# Two images from one build: `xds-server` is the management server with the `chancery` command, and `shop-service` is one of the
# sample services. docker-compose.yml builds both.

FROM node:24-bookworm-slim AS base
WORKDIR /app

# Only the manifests. The layer of `npm ci` below stays cached while they do not change.
FROM base AS manifests
COPY . .
RUN find . -type f ! -name package.json ! -name package-lock.json ! -name .npmrc -delete && find . -type d -empty -delete

FROM base AS build
COPY --from=manifests /app ./
RUN npm ci
COPY . .
RUN npm run build && npm prune --omit=dev

FROM base AS shop-service
ENV NODE_ENV=production
COPY --from=build /app/envoy-configs/shop-services/package.json ./
COPY --from=build /app/envoy-configs/shop-services/dist ./dist
# The user "node" of this base image. A number also works where a base image has Node but no such user.
USER 1000:1000
EXPOSE 8080
HEALTHCHECK --interval=3s --timeout=3s --retries=10 CMD ["node", "-e", "fetch('http://127.0.0.1:8080/healthz').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "dist/main.js", "--listen", "0.0.0.0:8080"]
CMD ["--name", "catalog"]

FROM base AS xds-server
ENV NODE_ENV=production
# The first start makes this file, on the volume. `chancery` in this image reads it too, so
# `docker compose exec xds-server chancery status` needs no other token.
ENV CHANCERY_TOKEN_FILE=/var/lib/chancery/admin-token
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/xds-proto-ts ./xds-proto-ts
COPY --from=build /app/xds-server ./xds-server
COPY --from=build /app/filters ./filters
# `chancery filter push` writes the built module to the `build` folder of the filter.
RUN ln -s /app/xds-server/bin/chancery.mjs /usr/local/bin/chancery \
  && mkdir -m 700 /var/lib/chancery \
  && chown -R 1000:1000 /var/lib/chancery filters/*/build
USER 1000:1000
VOLUME /var/lib/chancery
EXPOSE 18000 18001
HEALTHCHECK --interval=3s --timeout=3s --retries=20 CMD ["node", "-e", "fetch('http://127.0.0.1:18001/readyz').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["chancery"]
CMD ["serve", "--xds-listen", "0.0.0.0:18000", "--admin-listen", "0.0.0.0:18001", "--data-dir", "/var/lib/chancery"]
