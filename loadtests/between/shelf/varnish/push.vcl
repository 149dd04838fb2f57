vcl 4.1;
backend default {
    .host = "@SERVER_HOST@";
    .port = "@SERVER_PORT@";
    # silence: 60 s by default, before the first byte and between two
    .first_byte_timeout = 1h;
    .between_bytes_timeout = 1h;
}
# WebSocket: what is upgraded goes through a pipe, with the fields of this one hop
sub vcl_recv {
    if (req.http.upgrade ~ "(?i)websocket") { return (pipe); }
}
sub vcl_pipe {
    if (req.http.upgrade) {
        set bereq.http.upgrade = req.http.upgrade;
        set bereq.http.connection = req.http.connection;
    }
}
