# A stand-in for the official image of Valkey where no registry can be reached: Debian's Redis by Valkey's names.
ARG BASE
FROM ${BASE}
RUN apt-get update && apt-get install --yes --no-install-recommends redis-server && rm -rf /var/lib/apt/lists/* \
 && ln -s /usr/bin/redis-server /usr/bin/valkey-server && ln -s /usr/bin/redis-cli /usr/bin/valkey-cli \
 && mkdir /data && chown 999:999 /data
