/* SHA-256 (FIPS 180-4) and HMAC-SHA-256 (RFC 2104). */
#ifndef STANDIN_SHA256_H
#define STANDIN_SHA256_H

#include <stddef.h>

#define SHA256_SIZE 32

void sha256(const void *data, size_t size, unsigned char digest[SHA256_SIZE]);
void hmac_sha256(const void *key, size_t key_size, const void *data, size_t size, unsigned char digest[SHA256_SIZE]);

#endif
