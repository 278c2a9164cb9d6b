// SHA256_* are the direct entry points: no fetch, no allocation for each digest.
#pragma once
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>
#include "sha256_pair.h"
