/* Tokens made by Agora's own builder are read and judged; so is every way to spoil one. */
#include <string.h>

#include "../../c/sha256.h"
#include "../../c/token.h"
#include "expect.h"

#define APP_ID "970CA35de60c44645bbae8a215061b33"
#define CERTIFICATE "5CFd2fd1755d40ecb72977518be15d3b"
#define CHANNEL "7d72365eb983485397e3e3f9d460bdda"
#define ISSUED 1111111
#define EXPIRE 600

/* What is inside the token for user 2882341273 with the right to join, as published: signature, then what is signed. */
static const char INSIDE[] =
    "200016a0b84c5a5e82cbf74fb813d09f59c54bdac9c06120580539ac97578e958b1a20003937304341333564653630633434363435626261653861323135303631"
    "62333347f41000580200000100000001000100010001005802000020003764373233363565623938333438353339376533653366396434363062646461"
    "0a0032383832333431323733";

static int from_hex(const char *hex, unsigned char *into) {
    int n = 0;
    for (unsigned value; sscanf(hex + 2 * n, "%2x", &value) == 1; n++) {
        into[n] = (unsigned char)value;
    }
    return n;
}

/* Packs as our server does: one stored block in a zlib stream, then base64. */
static void pack(const unsigned char *content, int size, char *token) {
    unsigned char packed[4096] = {0x78, 0x01, 0x01, (unsigned char)size, (unsigned char)(size >> 8), (unsigned char)~size, (unsigned char)(~size >> 8)};
    memcpy(packed + 7, content, (size_t)size);
    unsigned a = 1, b = 0;
    for (int i = 0; i < size; i++) {
        a = (a + content[i]) % 65521;
        b = (b + a) % 65521;
    }
    int n = 7 + size;
    packed[n++] = (unsigned char)(b >> 8);
    packed[n++] = (unsigned char)b;
    packed[n++] = (unsigned char)(a >> 8);
    packed[n++] = (unsigned char)a;
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char *at = token + sprintf(token, "007");
    for (int i = 0; i < n; i += 3) {
        unsigned bits = (unsigned)packed[i] << 16 | (i + 1 < n ? (unsigned)packed[i + 1] << 8 : 0) | (i + 2 < n ? packed[i + 2] : 0u);
        *at++ = letters[bits >> 18];
        *at++ = letters[bits >> 12 & 63];
        *at++ = i + 1 < n ? letters[bits >> 6 & 63] : '=';
        *at++ = i + 2 < n ? letters[bits & 63] : '=';
    }
    *at = '\0';
}

static enum token_verdict judge(const char *token, const char *channel, const char *uid, int64_t now, int64_t *left) {
    struct token_claim claim = {APP_ID, CERTIFICATE, channel, uid, now};
    return token_verify(token, &claim, left);
}

static void digests_are_those_of_the_standard(void) {
    unsigned char digest[SHA256_SIZE], expected[SHA256_SIZE];
    from_hex("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", expected);
    sha256("abc", 3, digest);
    EXPECT(memcmp(digest, expected, SHA256_SIZE) == 0);
    from_hex("248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1", expected);
    sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56, digest);
    EXPECT(memcmp(digest, expected, SHA256_SIZE) == 0);
    /* RFC 4231, test cases 2 and 6. */
    from_hex("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843", expected);
    hmac_sha256("Jefe", 4, "what do ya want for nothing?", 28, digest);
    EXPECT(memcmp(digest, expected, SHA256_SIZE) == 0);
    unsigned char key[131];
    memset(key, 0xaa, sizeof key);
    from_hex("60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54", expected);
    hmac_sha256(key, sizeof key, "Test Using Larger Than Block-Size Key - Hash Key First", 54, digest);
    EXPECT(memcmp(digest, expected, SHA256_SIZE) == 0);
}

int main(void) {
    digests_are_those_of_the_standard();
    unsigned char inside[1024];
    char token[4096];
    int size = from_hex(INSIDE, inside);
    pack(inside, size, token);
    int64_t left = -1;
    EXPECT(judge(token, CHANNEL, "2882341273", ISSUED + 100, &left) == TOKEN_OK && left == EXPIRE - 100);
    EXPECT(judge(token, CHANNEL, "2882341273", ISSUED + EXPIRE, &left) == TOKEN_EXPIRED);
    EXPECT(judge(token, CHANNEL, "1", ISSUED, &left) == TOKEN_INVALID);
    EXPECT(judge(token, "other", "2882341273", ISSUED, &left) == TOKEN_INVALID);
    for (int i = 0; i < size; i++) {
        inside[i] ^= 1;
        pack(inside, size, token);
        EXPECT(judge(token, CHANNEL, "2882341273", ISSUED, &left) == TOKEN_INVALID);
        inside[i] ^= 1;
    }
    for (int i = 0; i < size; i++) {
        pack(inside, i, token);
        EXPECT(judge(token, CHANNEL, "2882341273", ISSUED, &left) == TOKEN_INVALID);
    }
    const char *const nonsense[] = {"", "007", "006abc", "007====", "007AAAA", "007A", "hello", "007eJx"};
    for (size_t i = 0; i < sizeof nonsense / sizeof nonsense[0]; i++) {
        EXPECT(judge(nonsense[i], CHANNEL, "1", ISSUED, &left) == TOKEN_INVALID);
    }
    EXPECT(judge(NULL, CHANNEL, "1", ISSUED, &left) == TOKEN_INVALID);
    return 0;
}
