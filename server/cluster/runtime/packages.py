"""The files that an image has beside those of its distribution: its server's configuration, what it serves, its users.

A table a name; ``files_of(image, distribution)`` is what ``rootfs`` lays over the distribution. The pages that servers show and the
directives in their configurations are facts of the images; comments were left out.

Source: https://github.com/nginx/docker-nginx and https://github.com/docker-library
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from server.cluster.inodes import Node
from server.cluster.runtime.pages.nginx_files import version
from server.cluster.runtime.references import InvalidReference, parse

if TYPE_CHECKING:
    from server.cluster.runtime.images import Image

ENTRYPOINT = '#!/bin/sh\nset -e\n\nexec "$@"\n'
INDEX = """<!DOCTYPE html>
<html>
<head>
<title>Welcome to nginx!</title>
<style>
html { color-scheme: light dark; }
body { width: 35em; margin: 0 auto;
font-family: Tahoma, Verdana, Arial, sans-serif; }
</style>
</head>
<body>
<h1>Welcome to nginx!</h1>
<p>If you see this page, the nginx web server is successfully installed and
working. Further configuration is required.</p>

<p>For online documentation and support please refer to
<a href="http://nginx.org/">nginx.org</a>.<br/>
Commercial support is available at
<a href="http://nginx.com/">nginx.com</a>.</p>

<p><em>Thank you for using nginx.</em></p>
</body>
</html>
"""
ERROR_PAGE = """<!DOCTYPE html>
<html>
<head>
<title>Error</title>
<style>
html { color-scheme: light dark; }
body { width: 35em; margin: 0 auto;
font-family: Tahoma, Verdana, Arial, sans-serif; }
</style>
</head>
<body>
<h1>An error occurred.</h1>
<p>Sorry, the page you are looking for is currently unavailable.<br/>
Please try again later.</p>
<p>If you are the system administrator of this resource then you should check
the error log for details.</p>
<p><em>Faithfully yours, nginx.</em></p>
</body>
</html>
"""
NGINX_CONF = """
user  nginx;
worker_processes  auto;

error_log  /var/log/nginx/error.log notice;
pid        /run/nginx.pid;


events {
    worker_connections  1024;
}


http {
    include       /etc/nginx/mime.types;
    default_type  application/octet-stream;

    log_format  main  '$remote_addr - $remote_user [$time_local] "$request" '
                      '$status $body_bytes_sent "$http_referer" '
                      '"$http_user_agent" "$http_x_forwarded_for"';

    access_log  /var/log/nginx/access.log  main;

    sendfile        on;

    keepalive_timeout  65;

    include /etc/nginx/conf.d/*.conf;
}
"""
DEFAULT_CONF = """server {
    listen       80;
    listen  [::]:80;
    server_name  localhost;

    location / {
        root   /usr/share/nginx/html;
        index  index.html index.htm;
    }

    error_page   500 502 503 504  /50x.html;
    location = /50x.html {
        root   /usr/share/nginx/html;
    }
}

"""
MIME = """
types {
    text/html                                        html htm shtml;
    text/css                                         css;
    text/xml                                         xml;
    image/gif                                        gif;
    image/jpeg                                       jpeg jpg;
    application/javascript                           js;
    text/plain                                       txt;
    image/png                                        png;
    image/svg+xml                                    svg svgz;
    application/json                                 json;
    application/pdf                                  pdf;
    application/zip                                  zip;
}
"""
HTTPD_CONF = """ServerRoot "/usr/local/apache2"
Listen 80
LoadModule mpm_event_module modules/mod_mpm_event.so
LoadModule authz_core_module modules/mod_authz_core.so
LoadModule mime_module modules/mod_mime.so
LoadModule log_config_module modules/mod_log_config.so
LoadModule unixd_module modules/mod_unixd.so
LoadModule dir_module modules/mod_dir.so
User www-data
Group www-data
ServerAdmin you@example.com
<Directory />
    AllowOverride none
    Require all denied
</Directory>
DocumentRoot "/usr/local/apache2/htdocs"
<Directory "/usr/local/apache2/htdocs">
    Options Indexes FollowSymLinks
    AllowOverride None
    Require all granted
</Directory>
DirectoryIndex index.html
ErrorLog /proc/self/fd/2
LogLevel warn
LogFormat "%h %l %u %t \\"%r\\" %>s %b" common
CustomLog /proc/self/fd/1 common
"""
MY_CNF = """[mysqld]
host-cache-size=0
skip-name-resolve
datadir=/var/lib/mysql
socket=/var/run/mysqld/mysqld.sock
secure-file-priv=/var/lib/mysql-files
user=mysql

pid-file=/var/run/mysqld/mysqld.pid
[client]
socket=/var/run/mysqld/mysqld.sock

!includedir /etc/mysql/conf.d/
"""
_FOLDER: Node = {}
PACKED = 1761653110.0  # 28 Oct 2025 12:05:10 UTC: when nginx 1.29.3's pages were packed
FILES: dict[str, dict[str, Node]] = {
    "nginx": {"/etc/nginx/nginx.conf": NGINX_CONF, "/etc/nginx/conf.d/default.conf": DEFAULT_CONF, "/etc/nginx/mime.types": MIME,
              "/etc/nginx/modules": {"link": "/usr/lib/nginx/modules"}, "/usr/lib/nginx/modules/": _FOLDER,
              "/etc/nginx/fastcgi_params": "fastcgi_param  QUERY_STRING       $query_string;\nfastcgi_param  REQUEST_METHOD     $request_method;\n",
              "/etc/nginx/scgi_params": "scgi_param  REQUEST_METHOD     $request_method;\n",
              "/etc/nginx/uwsgi_params": "uwsgi_param  QUERY_STRING       $query_string;\n",
              "/usr/share/nginx/html/index.html": {"text": INDEX, "mtime": PACKED},
              "/usr/share/nginx/html/50x.html": {"text": ERROR_PAGE, "mtime": PACKED},
              "/var/log/nginx/access.log": {"link": "/dev/stdout"}, "/var/log/nginx/error.log": {"link": "/dev/stderr"},
              "/var/cache/nginx/": _FOLDER, "/docker-entrypoint.d/10-listen-on-ipv6-by-default.sh": {"text": ENTRYPOINT, "mode": 0o755},
              "/docker-entrypoint.d/15-local-resolvers.envsh": {"text": "#!/bin/sh\n", "mode": 0o755},
              "/docker-entrypoint.d/20-envsubst-on-templates.sh": {"text": ENTRYPOINT, "mode": 0o755},
              "/docker-entrypoint.d/30-tune-worker-processes.sh": {"text": ENTRYPOINT, "mode": 0o755}, "/run/nginx.pid": "1\n"},
    "httpd": {"/usr/local/apache2/htdocs/index.html": "<html><body><h1>It works!</h1></body></html>\n",
              "/usr/local/apache2/conf/httpd.conf": HTTPD_CONF, "/usr/local/apache2/conf/mime.types": "text/html\thtml htm\ntext/plain\ttxt\n",
              "/usr/local/apache2/logs/httpd.pid": "1\n",
              **{f"/usr/local/apache2/{name}/": _FOLDER for name in ("bin", "build", "cgi-bin", "error", "icons", "include", "modules")}},
    "redis": {"/data/": {"uid": 999, "gid": 999}},
    "mysql": {"/etc/my.cnf": MY_CNF, "/var/lib/mysql/": {"mode": 0o1777, "uid": 999, "gid": 999}, "/etc/mysql/conf.d/": _FOLDER,
              "/var/lib/mysql-files/": {"mode": 0o750, "uid": 999, "gid": 999}, "/docker-entrypoint-initdb.d/": _FOLDER,
              "/var/run/mysqld/": {"mode": 0o1777, "uid": 999, "gid": 999}},
    "mariadb": {"/etc/mysql/mariadb.cnf": "[client-server]\nsocket = /run/mysqld/mysqld.sock\n!includedir /etc/mysql/conf.d/\n",
                "/var/lib/mysql/": {"uid": 999, "gid": 999}, "/etc/mysql/conf.d/": _FOLDER, "/docker-entrypoint-initdb.d/": _FOLDER},
    "postgres": {"/var/lib/postgresql/data/": {"mode": 0o1777, "uid": 999, "gid": 999}, "/docker-entrypoint-initdb.d/": _FOLDER,
                 "/var/run/postgresql/": {"mode": 0o3777, "uid": 999, "gid": 999}},
    "mongo": {"/data/db/": {"uid": 999, "gid": 999}, "/data/configdb/": {"uid": 999, "gid": 999}, "/docker-entrypoint-initdb.d/": _FOLDER},
    "tomcat": {f"/usr/local/tomcat/{name}/": _FOLDER for name in ("bin", "conf", "lib", "logs", "temp", "webapps", "webapps.dist", "work")},
    "wordpress": {"/var/www/html/": {"uid": 33, "gid": 33, "mode": 0o1777}, "/var/www/html/index.php": {
        "text": "<?php\ndefine( 'WP_USE_THEMES', true );\nrequire __DIR__ . '/wp-blog-header.php';\n", "uid": 33, "gid": 33}},
    "php": {"/var/www/html/": {"mode": 0o1777, "uid": 33, "gid": 33}},
    "hpa-example": {"/var/www/html/index.php": '<?php\n$x = 0.0001;\nfor ($i = 0; $i <= 1000000; $i++) {\n\t$x += sqrt($x);\n}\necho "OK!";\n?>\n'},
    "haproxy": {"/usr/local/etc/haproxy/": _FOLDER}, "memcached": {}, "python": {"/usr/local/lib/python3/": _FOLDER},
    "node": {"/home/node/": {"uid": 1000, "gid": 1000}}, "golang": {"/go/bin/": _FOLDER, "/go/src/": _FOLDER, "/usr/local/go/": _FOLDER},
    "caddy": {"/etc/caddy/Caddyfile": ":80 {\n\troot * /usr/share/caddy\n\tfile_server\n}\n",
              "/usr/share/caddy/index.html": "<h1>Caddy works!</h1>\n",
              "/config/": _FOLDER, "/data/": _FOLDER},
    "registry": {"/var/lib/registry/": _FOLDER, "/etc/docker/registry/config.yml": "version: 0.1\nstorage:\n  filesystem:\n    rootdirectory: "
                                                                                      "/var/lib/registry\nhttp:\n  addr: :5000\n"},
}
# (name, uid, gid, home) of the user that an image adds to /etc/passwd.
ADDED = {"nginx": ("nginx", 101, 101, "/nonexistent"), "redis": ("redis", 999, 999, "/home/redis"), "mysql": ("mysql", 999, 999, "/var/lib/mysql"),
         "mariadb": ("mysql", 999, 999, "/home/mysql"), "postgres": ("postgres", 999, 999, "/var/lib/postgresql"),
         "mongo": ("mongodb", 999, 999, "/data/db"), "node": ("node", 1000, 1000, "/home/node"), "haproxy": ("haproxy", 99, 99, "/var/lib/haproxy"),
         "memcached": ("memcache", 11211, 11211, "/home/memcache"), "rabbitmq": ("rabbitmq", 999, 999, "/var/lib/rabbitmq"),
         "nginx-unprivileged": ("nginx", 101, 101, "/nonexistent")}
# Who an image's processes are, where that is not root.
USER_OF = {"memcached": 11211, "haproxy": 99, "nginxinc/nginx-unprivileged": 101, "curlimages/curl": 100, "ghcr.io/stefanprodan/podinfo": 100,
           "stefanprodan/podinfo": 100, "elasticsearch": 1000}
SAME = {"nginx-slim": "nginx", "nginx-unprivileged": "nginx"}


# What an image's own configuration puts into the environment; {} is the release.
ENVIRONMENT: dict[str, dict[str, str]] = {
    "nginx": {"NGINX_VERSION": "{}"}, "httpd": {"HTTPD_PREFIX": "/usr/local/apache2"}, "golang": {"GOTOOLCHAIN": "local", "GOPATH": "/go"},
    "python": {"LANG": "C.UTF-8"}, "wordpress": {"APACHE_CONFDIR": "/etc/apache2"}, "tomcat": {"CATALINA_HOME": "/usr/local/tomcat"},
}


def environment_of(image: str) -> dict[str, str]:
    """The variables of an image by its reference."""
    try:
        reference = parse(image)
    except InvalidReference:
        return {}
    found = ENVIRONMENT.get(reference.familiar)
    return {name: value.format(version(reference.tag)) for name, value in found.items()} if found else {}


def files_of(image: Image, distribution: str) -> dict[str, Node]:
    """By path; /etc/passwd and /etc/group with the image's own user are among them."""
    name = image.reference.familiar.rpartition("/")[2]
    name = SAME.get(name, name)
    found = dict(FILES.get(name) or (FILES["nginx"] if image.server == "nginx" else {}))
    if distribution == "scratch":
        return found
    if image.kit == "application" or not image.known:
        found["/app/"] = _FOLDER
    if name in ADDED:
        from server.cluster.runtime.rootfs import GROUPS, USERS
        user, uid, gid, home = ADDED[name]
        base = distribution if distribution in USERS else "debian"
        shell = "/sbin/nologin" if base == "alpine" else "/bin/false" if user == "nginx" else "/bin/sh"
        found["/etc/passwd"] = f"{USERS[base]}{user}:x:{uid}:{gid}:{user} user:{home}:{shell}\n"
        found["/etc/group"] = f"{GROUPS[base]}{user}:x:{gid}:\n"
    return found
