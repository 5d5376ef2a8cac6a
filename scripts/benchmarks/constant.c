/* The limit of the protocol: answers each line with the first rule whose text the line holds, and does nothing else.
 *
 *     constant RULES [SOCKET | http:PORT]
 *
 * RULES is a file of rules, each a line "TEXT<TAB>LENGTH" with the answer, of so many octets, right after it. An empty
 * TEXT fits every line. With SOCKET it serves that unix socket, a process for each connection, instead of its stdin; with
 * http:PORT loopback, where a request with its headers is what a line is elsewhere. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <signal.h>
#include <unistd.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>

#define MOST_RULES 64
#define LONGEST_REQUEST 65536
#define LONGEST_ANSWER 1000000

struct rule { char text[512]; char *answer; size_t length; };

static struct rule rules[MOST_RULES];
static int rule_count;

static void stop(const char *why)
{
	perror(why);
	exit(2);
}

static void read_rules(const char *path)
{
	char line[512];
	FILE *file = fopen(path, "r");
	if (!file)
		stop(path);
	while (rule_count < MOST_RULES && fgets(line, sizeof line, file)) {
		struct rule *rule = &rules[rule_count++];
		char *tab = strrchr(line, '\t');
		if (!tab)
			stop("a rule without length");
		*tab = 0;
		strcpy(rule->text, line);
		rule->length = strtoul(tab + 1, NULL, 10);
		rule->answer = malloc(rule->length + 1);
		if (fread(rule->answer, 1, rule->length, file) != rule->length)
			stop("a rule with a short answer");
	}
	fclose(file);
}

static int is_http;

static void answer(int sink, const char *line)
{
	static char whole[LONGEST_ANSWER];
	for (int i = 0; i < rule_count; i++)
		if (strstr(line, rules[i].text)) {
			const char *octets = rules[i].answer;
			size_t length = rules[i].length;
			if (is_http) {
				int head = sprintf(whole, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
					"Content-Length: %zu\r\n\r\n", length);
				memcpy(whole + head, octets, length);
				octets = whole;
				length += head;
			}
			if (write(sink, octets, length) < 0)
				exit(0);
			return;
		}
}

/* The end of the request that begins here, or nothing while it is not complete; it is made a string. */
static char *end_of_request(char *start, char *end)
{
	char *body = memmem(start, end - start, "\r\n\r\n", 4), *length, *after;
	if (!body)
		return NULL;
	*body = 0;
	length = strcasestr(start, "\r\nContent-Length:");
	*body = '\r';
	after = body + 4 + (length ? strtoul(length + 17, NULL, 10) : 0);
	return after <= end ? after : NULL;
}

static void serve_http(int connection)
{
	static char buffer[LONGEST_REQUEST + 1];
	size_t held = 0;
	ssize_t got;
	int on = 1;
	setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	while ((got = read(connection, buffer + held, LONGEST_REQUEST - held)) > 0) {
		char *start = buffer, *end, next;
		held += got;
		while (start < buffer + held && (end = end_of_request(start, buffer + held))) {
			next = *end;
			*end = 0;
			answer(connection, start);
			*end = next;
			start = end;
		}
		held -= start - buffer;
		memmove(buffer, start, held);
	}
}

static void serve(int source, int sink)
{
	static char buffer[LONGEST_REQUEST + 1];
	size_t held = 0;
	ssize_t got;
	while ((got = read(source, buffer + held, LONGEST_REQUEST - held)) > 0) {
		char *start = buffer, *end;
		held += got;
		while ((end = memchr(start, '\n', buffer + held - start))) {
			*end = 0;
			answer(sink, start);
			start = end + 1;
		}
		held -= start - buffer;
		memmove(buffer, start, held);
	}
}

static int listener_at(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int listener = socket(AF_UNIX, SOCK_STREAM, 0);
	strncpy(address.sun_path, path, sizeof address.sun_path - 1);
	if (listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 64))
		stop(path);
	return listener;
}

static int listener_on(const char *port)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(atoi(port))};
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 64))
		stop(port);
	return listener;
}

static void serve_all(int listener)
{
	int connection;
	signal(SIGCHLD, SIG_IGN);
	while ((connection = accept(listener, NULL, NULL)) >= 0) {
		if (fork() == 0) {
			if (is_http)
				serve_http(connection);
			else
				serve(connection, connection);
			exit(0);
		}
		close(connection);
	}
}

int main(int argc, char **argv)
{
	if (argc < 2)
		return 2;
	for (int leaked = 3; leaked < 1024; leaked++) /* the pipes of siblings, which PowerDNS forgets to close */
		close(leaked);
	read_rules(argv[1]);
	is_http = argc > 2 && !strncmp(argv[2], "http:", 5);
	if (argc > 2)
		serve_all(is_http ? listener_on(argv[2] + 5) : listener_at(argv[2]));
	else
		serve(0, 1);
	return 0;
}
