# What Debian's default.vcl says.
vcl 4.1;
backend default {
    .host = "@SERVER_HOST@";
    .port = "@SERVER_PORT@";
}
