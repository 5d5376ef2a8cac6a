/* Asks one HTTP request after the other over a connection and tells how long all of them took.
 *
 *     httpasker REQUESTS FIRST COUNT <CONNECTION >CONNECTION
 *
 * REQUESTS is a file of requests, each after a line with the number of its octets. Prints nanoseconds on stderr. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LONGEST_ANSWER 1000000

/* How many octets the answer has that begins here; 0 while its head is not complete. */
static size_t length_of(const char *answer, size_t held)
{
	const char *end = memmem(answer, held, "\r\n\r\n", 4), *length;
	if (!end)
		return 0;
	length = strcasestr(answer, "\r\nContent-Length:");
	return end + 4 - answer + (length && length < end ? strtoul(length + 17, NULL, 10) : 0);
}

int main(int argc, char **argv)
{
	static char answer[LONGEST_ANSWER + 1];
	if (argc < 4)
		return 2;
	FILE *file = fopen(argv[1], "r");
	long first = atol(argv[2]), count = atol(argv[3]);
	char **requests = calloc(count, sizeof *requests);
	size_t *lengths = calloc(count, sizeof *lengths), length;
	if (!file)
		return 2;
	for (long i = 0; i < first + count; i++) {
		if (fscanf(file, "%zu", &length) != 1 || fgetc(file) != '\n')
			return 3;
		char *request = malloc(length);
		if (fread(request, 1, length, file) != length)
			return 3;
		if (i < first) {
			free(request);
			continue;
		}
		requests[i - first] = request;
		lengths[i - first] = length;
	}
	struct timespec begin, end;
	clock_gettime(CLOCK_MONOTONIC, &begin);
	for (long i = 0; i < count; i++) {
		size_t held = 0, whole;
		if (write(1, requests[i], lengths[i]) != (ssize_t)lengths[i])
			return 4;
		do {
			ssize_t got = read(0, answer + held, LONGEST_ANSWER - held);
			if (got <= 0)
				return 5;
			held += got;
			answer[held] = 0;
			whole = length_of(answer, held);
		} while (!whole || held < whole);
		if (memcmp(answer, "HTTP/1.1 200", 12))
			return 6;
	}
	clock_gettime(CLOCK_MONOTONIC, &end);
	fprintf(stderr, "%lld\n", (end.tv_sec - begin.tv_sec) * 1000000000LL + (end.tv_nsec - begin.tv_nsec));
	return 0;
}
