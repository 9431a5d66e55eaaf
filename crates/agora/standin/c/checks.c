#define _GNU_SOURCE
#include "checks.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>

#include "knobs.h"
#include "system.h"

bool check_memory(const void *memory, size_t size, const char *what, const char *caller) {
    if (memory == NULL) {
        complain("%s: %s is NULL", caller, what);
        return false;
    }
    if (!is_readable(memory, size)) {
        complain("%s: %s can't be read to its end", caller, what);
        return false;
    }
    return true;
}

bool check_structure(const void *structure, size_t size, size_t alignment, const char *what, const char *caller) {
    if (structure != NULL && (uintptr_t)structure % alignment != 0) {
        complain("%s: %s is misaligned", caller, what);
        return false;
    }
    return check_memory(structure, size, what, caller);
}

bool check_text(const char *text, size_t longest, const char *what, const char *caller) {
    if (!check_memory(text, 1, what, caller)) {
        return false;
    }
    if (strnlen(text, longest + 1) > longest) {
        complain("%s: %s is longer than %zu bytes", caller, what, longest);
        return false;
    }
    if (!is_utf8(text)) {
        complain("%s: %s is not UTF-8", caller, what);
        return false;
    }
    return true;
}

bool check_range(long long value, long long lowest, long long highest, const char *what, const char *caller) {
    if (value < lowest || value > highest) {
        complain("%s: %s is %lld, not between %lld and %lld", caller, what, value, lowest, highest);
        return false;
    }
    return true;
}

bool is_app_id(const char *text) {
    size_t length = strlen(text);
    for (size_t i = 0; i < length; i++) {
        if (!isxdigit((unsigned char)text[i])) {
            return false;
        }
    }
    return length == 32;
}

static bool has_letters_of_names(const char *text) {
    for (; *text != '\0'; text++) {
        if (!isalnum((unsigned char)*text) && strchr(" !#$%&()+-:;<=.>?@[]^_{}|~,", *text) == NULL) {
            return false;
        }
    }
    return true;
}

bool is_channel_name(const char *text) {
    size_t length = strlen(text);
    return length >= 1 && length < 64 && has_letters_of_names(text);
}

bool is_numeric_uid(const char *text) {
    uint64_t value = 0;
    size_t length = strlen(text);
    for (size_t i = 0; i < length && i < 11; i++) {
        if (!isdigit((unsigned char)text[i])) {
            return false;
        }
        value = value * 10 + (uint64_t)(text[i] - '0');
    }
    return length >= 1 && length <= 10 && value <= UINT32_MAX;
}

bool is_account(const char *text) {
    size_t length = strlen(text);
    return length >= 1 && length <= 255 && has_letters_of_names(text);
}
