#define _GNU_SOURCE
#include "json.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../system.h"

#define DEEPEST 32

struct reader {
    const char *at;
    int depth;
};

static struct json *read_value(struct reader *reader);

static void skip_blanks(struct reader *reader) {
    while (*reader->at == ' ' || *reader->at == '\t' || *reader->at == '\n' || *reader->at == '\r') {
        reader->at++;
    }
}

static bool take(struct reader *reader, char wanted) {
    skip_blanks(reader);
    if (*reader->at != wanted) {
        return false;
    }
    reader->at++;
    return true;
}

static char *put_utf8(char *into, unsigned code) {
    if (code < 0x80) {
        *into++ = (char)code;
    } else if (code < 0x800) {
        *into++ = (char)(0xC0 | code >> 6);
        *into++ = (char)(0x80 | (code & 63));
    } else if (code < 0x10000) {
        *into++ = (char)(0xE0 | code >> 12);
        *into++ = (char)(0x80 | (code >> 6 & 63));
        *into++ = (char)(0x80 | (code & 63));
    } else {
        *into++ = (char)(0xF0 | code >> 18);
        *into++ = (char)(0x80 | (code >> 12 & 63));
        *into++ = (char)(0x80 | (code >> 6 & 63));
        *into++ = (char)(0x80 | (code & 63));
    }
    return into;
}

static bool read_unit(const char **at, unsigned *unit) {
    *unit = 0;
    for (int i = 0; i < 4; i++, (*at)++) {
        char c = **at;
        if (!isxdigit((unsigned char)c)) {
            return false;
        }
        *unit = *unit * 16 + (unsigned)(isdigit((unsigned char)c) ? c - '0' : tolower((unsigned char)c) - 'a' + 10);
    }
    return true;
}

/* A zero within a text would end it: such a text is refused. */
static char *read_text(struct reader *reader) {
    if (!take(reader, '"')) {
        return NULL;
    }
    char *text = make(strlen(reader->at) + 1), *into = text;
    const char *at = reader->at;
    while (*at != '"') {
        unsigned code, low;
        if ((unsigned char)*at < 0x20) {
            free(text);
            return NULL;
        }
        if (*at != '\\') {
            *into++ = *at++;
            continue;
        }
        at++;
        static const char letters[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
        const char *found = *at == '\0' ? NULL : strchr(letters, *at);
        if (found != NULL) {
            *into++ = meanings[found - letters];
            at++;
        } else if (*at == 'u' && (at++, read_unit(&at, &code)) && code != 0 && (code < 0xDC00 || code > 0xDFFF)) {
            if (code >= 0xD800 && code <= 0xDBFF) {
                if (at[0] != '\\' || at[1] != 'u' || (at += 2, !read_unit(&at, &low)) || low < 0xDC00 || low > 0xDFFF) {
                    free(text);
                    return NULL;
                }
                code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
            }
            into = put_utf8(into, code);
        } else {
            free(text);
            return NULL;
        }
    }
    *into = '\0';
    reader->at = at + 1;
    return text;
}

static bool read_members(struct reader *reader, struct json *json, char end) {
    struct json **last = &json->first;
    reader->at++;
    if (take(reader, end)) {
        return true;
    }
    do {
        char *key = NULL;
        if (end == '}') {
            key = read_text(reader);
            if (key == NULL || !take(reader, ':')) {
                free(key);
                return false;
            }
        }
        struct json *member = read_value(reader);
        if (member == NULL) {
            free(key);
            return false;
        }
        member->key = key;
        *last = member;
        last = &member->next;
    } while (take(reader, ','));
    return take(reader, end);
}

static bool read_number(struct reader *reader, struct json *json) {
    const char *start = reader->at, *at = start;
    bool is_real = false;
    at += *at == '-';
    if (!isdigit((unsigned char)*at)) {
        return false;
    }
    for (; isdigit((unsigned char)*at) || (*at != '\0' && strchr(".eE+-", *at) != NULL); at++) {
        is_real = is_real || !isdigit((unsigned char)*at);
    }
    char *end;
    errno = 0;
    json->type = is_real ? JSON_REAL : JSON_INTEGER;
    if (is_real) {
        json->real = strtod(start, &end);
    } else if (*start == '-') {
        json->integer = strtoll(start, &end, 10);
    } else {
        json->integer = (int64_t)strtoull(start, &end, 10);
    }
    reader->at = at;
    return end == at && errno == 0;
}

static bool read_word(struct reader *reader, struct json *json) {
    static const struct {
        const char *word;
        enum json_type type;
    } words[] = {{"null", JSON_NULL}, {"false", JSON_FALSE}, {"true", JSON_TRUE}};
    for (size_t i = 0; i < 3; i++) {
        size_t length = strlen(words[i].word);
        if (strncmp(reader->at, words[i].word, length) == 0) {
            json->type = words[i].type;
            reader->at += length;
            return true;
        }
    }
    return read_number(reader, json);
}

static struct json *read_value(struct reader *reader) {
    skip_blanks(reader);
    struct json *json = make(sizeof *json);
    bool is_right;
    if (++reader->depth > DEEPEST) {
        is_right = false;
    } else if (*reader->at == '{') {
        json->type = JSON_OBJECT;
        is_right = read_members(reader, json, '}');
    } else if (*reader->at == '[') {
        json->type = JSON_LIST;
        is_right = read_members(reader, json, ']');
    } else if (*reader->at == '"') {
        json->type = JSON_TEXT;
        json->text = read_text(reader);
        is_right = json->text != NULL;
    } else {
        is_right = read_word(reader, json);
    }
    reader->depth--;
    if (!is_right) {
        json_free(json);
        return NULL;
    }
    return json;
}

struct json *json_read(const char *text) {
    struct reader reader = {text, 0};
    struct json *json = read_value(&reader);
    skip_blanks(&reader);
    if (json != NULL && *reader.at != '\0') {
        json_free(json);
        return NULL;
    }
    return json;
}

void json_free(struct json *json) {
    while (json != NULL) {
        struct json *next = json->next;
        json_free(json->first);
        free(json->key);
        free(json->text);
        free(json);
        json = next;
    }
}

const struct json *json_member(const struct json *json, const char *key) {
    if (json == NULL || json->type != JSON_OBJECT) {
        return NULL;
    }
    for (const struct json *member = json->first; member != NULL; member = member->next) {
        if (strcmp(member->key, key) == 0) {
            return member;
        }
    }
    return NULL;
}

int64_t json_integer(const struct json *json, const char *key, int64_t otherwise) {
    const struct json *member = json_member(json, key);
    return member != NULL && member->type == JSON_INTEGER ? member->integer : otherwise;
}

bool json_flag(const struct json *json, const char *key, bool otherwise) {
    const struct json *member = json_member(json, key);
    return member != NULL && (member->type == JSON_TRUE || member->type == JSON_FALSE) ? member->type == JSON_TRUE : otherwise;
}

const char *json_text(const struct json *json, const char *key, const char *otherwise) {
    const struct json *member = json_member(json, key);
    return member != NULL && member->type == JSON_TEXT ? member->text : otherwise;
}

static void grow(struct writer *writer, size_t more) {
    if (writer->length + more + 1 > writer->capacity) {
        writer->capacity = (writer->length + more + 1) * 2;
        writer->text = realloc(writer->text, writer->capacity);
        if (writer->text == NULL) {
            abort();
        }
    }
}

void write_format(struct writer *writer, const char *format, ...) {
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    char nowhere[1];
    int length = vsnprintf(nowhere, sizeof nowhere, format, arguments);
    grow(writer, (size_t)length);
    vsnprintf(writer->text + writer->length, (size_t)length + 1, format, again);
    writer->length += (size_t)length;
    va_end(again);
    va_end(arguments);
}

void write_quoted(struct writer *writer, const char *text) {
    if (text == NULL) {
        write_format(writer, "null");
        return;
    }
    write_format(writer, "\"");
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\') {
            write_format(writer, "\\%c", *text);
        } else if ((unsigned char)*text < 0x20) {
            write_format(writer, "\\u%04x", (unsigned)*text);
        } else {
            write_format(writer, "%c", *text);
        }
    }
    write_format(writer, "\"");
}

void writer_free(struct writer *writer) {
    free(writer->text);
    *writer = (struct writer){0};
}

char *writer_take(struct writer *writer) {
    grow(writer, 0);
    writer->text[writer->length] = '\0';
    char *text = writer->text;
    *writer = (struct writer){0};
    return text;
}
