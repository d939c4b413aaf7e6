# Untested: no container engine runs where this repository is made. What it runs is tested in another way (law/deployment.test.ts).
#   docker build --tag satwire .
#   docker run --read-only --cap-drop=ALL --security-opt=no-new-privileges --volume=satwire:/data --publish=8333:8333 satwire
# docs/deployment.md says more.

FROM node:24-bookworm-slim AS build
WORKDIR /src
COPY . .
RUN npm install --no-progress --no-audit --no-fund && npm run build --workspace=apps/node

FROM node:24-bookworm-slim
WORKDIR /opt/satwire
COPY --from=build /src/apps/node/package.json /src/apps/node/README.md /src/LICENSE ./
COPY --from=build /src/apps/node/dist ./dist
RUN mkdir /data && chown node:node /data && ln -s /opt/satwire/dist/start.js /usr/local/bin/satwire
ENV NODE_ENV=production
# All that it writes. Options are best given here too, as -e SATWIRE_NETWORK=signet, so that the health check has them.
ENV SATWIRE_DATADIR=/data
ENV SATWIRE_DEBUGLOGFILE=0
USER node
VOLUME /data
EXPOSE 8333
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s --retries=3 CMD ["satwire", "rpc", "uptime"]
ENTRYPOINT ["satwire"]
