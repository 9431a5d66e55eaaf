/* A small reader and writer of JSON. Integers keep all of their 64 bits. */
#ifndef STANDIN_JSON_H
#define STANDIN_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum json_type { JSON_NULL, JSON_FALSE, JSON_TRUE, JSON_INTEGER, JSON_REAL, JSON_TEXT, JSON_LIST, JSON_OBJECT };

struct json {
    enum json_type type;
    char *key; /* in an object */
    char *text;
    int64_t integer; /* of what doesn't fit, unsigned, the same bits */
    double real;
    struct json *first, *next;
};

/* NULL when the text is no JSON or nests deeper than 32. */
struct json *json_read(const char *text);
void json_free(struct json *json);

/* The member of an object; NULL when it isn't there, or `json` is NULL or no object. */
const struct json *json_member(const struct json *json, const char *key);
/* The value of a member, or the last argument when it isn't there or of another type. */
int64_t json_integer(const struct json *json, const char *key, int64_t otherwise);
bool json_flag(const struct json *json, const char *key, bool otherwise);
/* Never NULL when `otherwise` isn't. */
const char *json_text(const struct json *json, const char *key, const char *otherwise);

/* Text that grows. */
struct writer {
    char *text;
    size_t length, capacity;
};

void write_format(struct writer *writer, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* In quotes and with escapes; NULL becomes null. */
void write_quoted(struct writer *writer, const char *text);
/* Frees, or gives the text to the caller. */
void writer_free(struct writer *writer);
char *writer_take(struct writer *writer);

#endif
