#!/bin/sh
# Runs nginx in the foreground on $PORT; all that it writes is in $SCRATCH.
user=""
[ "$(id -u)" = 0 ] && user="user root;"
cat > "$SCRATCH/nginx.conf" <<CONF
load_module ${NCHAN:-/usr/lib/nginx/modules/ngx_nchan_module.so};
$user
daemon off;
pid $SCRATCH/nginx.pid;
error_log stderr;
worker_processes 1;
events { worker_connections 4096; }
http {
  access_log off;
  client_body_temp_path $SCRATCH/body;
  proxy_temp_path $SCRATCH/proxy;
  fastcgi_temp_path $SCRATCH/fastcgi;
  uwsgi_temp_path $SCRATCH/uwsgi;
  scgi_temp_path $SCRATCH/scgi;
  keepalive_requests 1000000;
  server {
    listen 127.0.0.1:$PORT;
    location = /publish { nchan_publisher; nchan_channel_id lobby; nchan_message_buffer_length 1000; }
    location = /subscribe {
      nchan_subscriber websocket eventsource;
      nchan_channel_id lobby;
      nchan_subscriber_first_message newest;
    }
    location = /long_polling { nchan_subscriber longpoll; nchan_channel_id lobby; }
  }
}
CONF
exec nginx -p "$SCRATCH" -c "$SCRATCH/nginx.conf" -e stderr
