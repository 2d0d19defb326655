# Two images from one build: `xds-server`, the control plane with the `chancery` command, and `shop-service`, one of the
# sample services. docker-compose.yml builds both.

FROM node:24-bookworm-slim AS base
WORKDIR /app

# The manifests by themselves: the layer of `npm ci` below stays cached as long as they do.
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
# A number, which is what this base image calls "node", because a bare Debian with Node has no such name.
USER 1000:1000
EXPOSE 8080
HEALTHCHECK --interval=3s --timeout=3s --retries=10 CMD ["node", "-e", "fetch('http://127.0.0.1:8080/healthz').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "dist/main.js", "--listen", "0.0.0.0:8080"]
CMD ["--name", "catalog"]

FROM base AS xds-server
ENV NODE_ENV=production
# Made by the first start, on the volume; `chancery` in this image reads it too, so that
# `docker compose exec xds-server chancery status` needs no more.
ENV CHANCERY_TOKEN_FILE=/var/lib/chancery/admin-token
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/xds-proto-ts ./xds-proto-ts
COPY --from=build /app/xds-server ./xds-server
COPY --from=build /app/filters ./filters
# `chancery filter push` writes the module that it builds beside the filter's source.
RUN ln -s /app/xds-server/bin/chancery.mjs /usr/local/bin/chancery \
  && mkdir -m 700 /var/lib/chancery \
  && chown -R 1000:1000 /var/lib/chancery filters/*/build
USER 1000:1000
VOLUME /var/lib/chancery
EXPOSE 18000 18001
HEALTHCHECK --interval=3s --timeout=3s --retries=20 CMD ["node", "-e", "fetch('http://127.0.0.1:18001/readyz').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["chancery"]
CMD ["serve", "--xds-listen", "0.0.0.0:18000", "--admin-listen", "0.0.0.0:18001", "--data-dir", "/var/lib/chancery"]
