#include "token.h"

#include <stdbool.h>
#include <string.h>
#include <zlib.h>

#include "sha256.h"

/* Tokens with all services stay far below; more is an attack or a mistake. */
#define LONGEST_TEXT 8192
#define LONGEST_CONTENT 16384

#define SERVICE_RTC 1
#define PRIVILEGE_JOIN 1

struct cursor {
    const unsigned char *at;
    const unsigned char *end;
    bool failed;
};

static uint32_t take_number(struct cursor *cursor, int bytes) {
    if (cursor->end - cursor->at < bytes) {
        cursor->failed = true;
        return 0;
    }
    uint32_t value = 0;
    for (int i = 0; i < bytes; i++) {
        value |= (uint32_t)cursor->at[i] << 8 * i;
    }
    cursor->at += bytes;
    return value;
}

struct slice {
    const unsigned char *at;
    size_t size;
};

static struct slice take_text(struct cursor *cursor) {
    size_t size = take_number(cursor, 2);
    if (cursor->failed || (size_t)(cursor->end - cursor->at) < size) {
        cursor->failed = true;
        return (struct slice){cursor->at, 0};
    }
    struct slice slice = {cursor->at, size};
    cursor->at += size;
    return slice;
}

static bool is(struct slice slice, const char *text) {
    return strlen(text) == slice.size && (slice.size == 0 || memcmp(slice.at, text, slice.size) == 0);
}

static int letter(char c) {
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = c == '\0' ? NULL : strchr(alphabet, c);
    return at == NULL ? -1 : (int)(at - alphabet);
}

/* Standard base64 with padding; -1 for anything else. */
static int decode(const char *text, unsigned char *into) {
    size_t length = strlen(text);
    if (length == 0 || length % 4 != 0 || length > LONGEST_TEXT) {
        return -1;
    }
    int size = 0;
    for (size_t i = 0; i < length; i += 4) {
        bool is_last = i + 4 == length;
        int missing = is_last && text[i + 3] == '=' ? (text[i + 2] == '=' ? 2 : 1) : 0;
        uint32_t bits = 0;
        for (size_t j = 0; j < 4; j++) {
            int value = j >= 4 - (size_t)missing ? 0 : letter(text[i + j]);
            if (value < 0) {
                return -1;
            }
            bits = bits << 6 | (uint32_t)value;
        }
        for (int j = 0; j < 3 - missing; j++) {
            into[size++] = (unsigned char)(bits >> (16 - 8 * j));
        }
    }
    return size;
}

int token_unpack(const char *token, unsigned char *into, int size) {
    if (token == NULL || strncmp(token, "007", 3) != 0) {
        return -1;
    }
    unsigned char packed[LONGEST_TEXT];
    int packed_size = decode(token + 3, packed);
    uLongf unpacked = (uLongf)size;
    if (packed_size <= 0 || uncompress(into, &unpacked, packed, (uLong)packed_size) != Z_OK) {
        return -1;
    }
    return (int)unpacked;
}

static bool is_signed(struct slice signature, const unsigned char *info, size_t size, uint32_t issued, uint32_t salt, const char *certificate) {
    unsigned char issued_le[4], salt_le[4], key[SHA256_SIZE], expected[SHA256_SIZE];
    for (int i = 0; i < 4; i++) {
        issued_le[i] = (unsigned char)(issued >> 8 * i);
        salt_le[i] = (unsigned char)(salt >> 8 * i);
    }
    hmac_sha256(issued_le, 4, certificate, strlen(certificate), key);
    hmac_sha256(salt_le, 4, key, SHA256_SIZE, key);
    hmac_sha256(key, SHA256_SIZE, info, size, expected);
    return signature.size == SHA256_SIZE && memcmp(signature.at, expected, SHA256_SIZE) == 0;
}

/* Seconds after the issue at which joining ends, 0 = with the token; -1 when joining this channel isn't allowed. */
static int64_t find_privilege(struct cursor *cursor, const struct token_claim *claim) {
    uint32_t services = take_number(cursor, 2);
    for (uint32_t i = 0; i < services && !cursor->failed; i++) {
        uint32_t type = take_number(cursor, 2);
        uint32_t privileges = take_number(cursor, 2);
        int64_t join = -1;
        for (uint32_t j = 0; j < privileges && !cursor->failed; j++) {
            uint32_t key = take_number(cursor, 2);
            uint32_t value = take_number(cursor, 4);
            if (key == PRIVILEGE_JOIN) {
                join = value;
            }
        }
        switch (type) {
        case SERVICE_RTC: {
            struct slice channel = take_text(cursor);
            struct slice uid = take_text(cursor);
            bool is_us = uid.size == 0 || is(uid, claim->uid);
            if (!cursor->failed && join >= 0 && is(channel, claim->channel) && is_us) {
                return join;
            }
            break;
        }
        case 2: /* RTM, Chat: a user */
        case 5:
            take_text(cursor);
            break;
        case 3: /* streaming, FCDN: channel and account */
        case 6:
            take_text(cursor);
            take_text(cursor);
            break;
        case 4:
            break;
        case 7: /* APaaS: room, user, role */
            take_text(cursor);
            take_text(cursor);
            take_number(cursor, 2);
            break;
        default: /* what an unknown service holds is unknown, so nothing after it can be read */
            return -1;
        }
    }
    return -1;
}

enum token_verdict token_verify(const char *token, const struct token_claim *claim, int64_t *seconds_left) {
    *seconds_left = 0;
    unsigned char content[LONGEST_CONTENT];
    int size = token_unpack(token, content, sizeof content);
    if (size < 0) {
        return TOKEN_INVALID;
    }
    struct cursor cursor = {content, content + size, false};
    struct slice signature = take_text(&cursor);
    const unsigned char *info = cursor.at;
    struct slice app_id = take_text(&cursor);
    uint32_t issued = take_number(&cursor, 4);
    uint32_t expire = take_number(&cursor, 4);
    uint32_t salt = take_number(&cursor, 4);
    if (cursor.failed || !is(app_id, claim->app_id) ||
        !is_signed(signature, info, (size_t)(content + size - info), issued, salt, claim->certificate)) {
        return TOKEN_INVALID;
    }
    int64_t join = find_privilege(&cursor, claim);
    if (join < 0) {
        return TOKEN_INVALID;
    }
    int64_t life = join == 0 || join > expire ? expire : join;
    *seconds_left = (int64_t)issued + life - claim->now;
    return *seconds_left > 0 ? TOKEN_OK : TOKEN_EXPIRED;
}
