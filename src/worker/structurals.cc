#include "worker/structurals.h"

#include <immintrin.h>

#include <bit>
#include <cstring>

namespace laketap::worker {
namespace {

struct Block {
  __m256i low, high;
};

inline Block load(const char* at) {
  return {_mm256_loadu_si256(reinterpret_cast<const __m256i*>(at)),
          _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at + 32))};
}
inline uint64_t mask(__m256i low, __m256i high) {
  return static_cast<uint32_t>(_mm256_movemask_epi8(low)) |
         static_cast<uint64_t>(static_cast<uint32_t>(_mm256_movemask_epi8(high))) << 32;
}
inline uint64_t equal(const Block& block, char what) {
  const __m256i all = _mm256_set1_epi8(what);
  return mask(_mm256_cmpeq_epi8(block.low, all), _mm256_cmpeq_epi8(block.high, all));
}
// Bytes that equal what `table` has for their low four bits.
inline uint64_t matches(const Block& block, __m256i table, __m256i compared_low,
                        __m256i compared_high) {
  return mask(_mm256_cmpeq_epi8(_mm256_shuffle_epi8(table, block.low), compared_low),
              _mm256_cmpeq_epi8(_mm256_shuffle_epi8(table, block.high), compared_high));
}
// Bit n is the parity of bits 0..n.
inline uint64_t prefix_xor(uint64_t bits) {
  const __m128i ones = _mm_set1_epi8(-1);
  return static_cast<uint64_t>(_mm_cvtsi128_si64(
      _mm_clmulepi64_si128(_mm_set_epi64x(0, static_cast<int64_t>(bits)), ones, 0)));
}
// Characters after an odd run of backslashes.
inline uint64_t escaped_by(uint64_t backslashes, uint64_t& carry) {
  if (backslashes == 0) {
    const uint64_t escaped = carry;
    carry = 0;
    return escaped;
  }
  constexpr uint64_t kOdd = 0xAAAAAAAAAAAAAAAAULL;
  const uint64_t potential = backslashes & ~carry;
  const uint64_t maybe_escaped = potential << 1;
  const uint64_t codes = ((maybe_escaped | kOdd) - potential) ^ kOdd;
  const uint64_t escaped = codes ^ (backslashes | carry);
  carry = (codes & backslashes) >> 63;
  return escaped;
}

inline uint32_t* put(uint32_t* target, uint64_t bits, uint32_t base) {
  if (bits == 0) return target;
  const int count = std::popcount(bits);
  uint32_t* at = target;
  do {  // Eight at a time, more than needed: the room is there.
    for (int i = 0; i < 8; ++i) {
      at[i] = base + static_cast<uint32_t>(std::countr_zero(bits));
      bits &= bits - 1;
    }
    at += 8;
  } while (at < target + count);
  return target + count;
}

}  // namespace

template <bool kBracketsOnly>
void Structurals::run(const char* text, size_t bytes) {
  // Worst case: every byte; put() writes up to seven more.
  if (offsets_.size() < bytes + 128) offsets_.resize(bytes + 128);
  count_ = 0;
  indexed_bytes_ = bytes;
  stopped_in_string_ = has_backslash_ = false;

  const __m256i blanks = _mm256_setr_epi8(' ', 100, 100, 100, 17, 100, 113, 2, 100, '\t', '\n', 112,
                                          100, '\r', 100, 100, ' ', 100, 100, 100, 17, 100, 113, 2,
                                          100, '\t', '\n', 112, 100, '\r', 100, 100);
  const __m256i operators =
      _mm256_setr_epi8(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, ':', '{', ',', '}', 0, 0, 0, 0, 0, 0, 0, 0, 0,
                       0, 0, 0, ':', '{', ',', '}', 0, 0);
  const __m256i lower = _mm256_set1_epi8(0x20);
  uint32_t* target = offsets_.data();
  uint64_t escape_carry = 0, in_string_carry = 0, scalar_carry = 0, high_bits = 0;
  uint64_t any_backslash = 0;

  for (size_t at = 0; at < bytes; at += 64) {
    const Block block = load(text + at);
    const size_t left = bytes - at;
    const uint64_t inside = left >= 64 ? ~0ULL : (1ULL << left) - 1;
    high_bits |= mask(block.low, block.high) & inside;

    const uint64_t backslashes = equal(block, '\\') & inside;
    any_backslash |= backslashes;
    const uint64_t quotes = equal(block, '"') & ~escaped_by(backslashes, escape_carry) & inside;
    const uint64_t in_string = prefix_xor(quotes) ^ in_string_carry;
    in_string_carry = static_cast<uint64_t>(static_cast<int64_t>(in_string) >> 63);

    const __m256i curly_low = _mm256_or_si256(block.low, lower);
    const __m256i curly_high = _mm256_or_si256(block.high, lower);
    uint64_t wanted;
    if constexpr (kBracketsOnly) {
      // { [ and } ] differ from each other by the bit that `lower` sets.
      const __m256i open = _mm256_set1_epi8('{'), close = _mm256_set1_epi8('}');
      wanted = mask(_mm256_or_si256(_mm256_cmpeq_epi8(curly_low, open),
                                    _mm256_cmpeq_epi8(curly_low, close)),
                    _mm256_or_si256(_mm256_cmpeq_epi8(curly_high, open),
                                    _mm256_cmpeq_epi8(curly_high, close))) &
               ~in_string;
    } else {
      const uint64_t op = matches(block, operators, curly_low, curly_high);
      const uint64_t blank = matches(block, blanks, block.low, block.high);
      const uint64_t scalar = ~(op | blank | quotes | in_string);
      const uint64_t starts = scalar & ~(scalar << 1 | scalar_carry);
      scalar_carry = scalar >> 63;
      wanted = ((op | starts) & ~in_string) | quotes;
    }
    wanted &= inside;

    const uint64_t broken = equal(block, '\n') & in_string & inside;
    if (broken != 0) [[unlikely]] {
      const int bad = std::countr_zero(broken);
      target = put(target, wanted & ((1ULL << bad) - 1), static_cast<uint32_t>(at));
      indexed_bytes_ = at + static_cast<size_t>(bad);
      stopped_in_string_ = true;
      break;
    }
    target = put(target, wanted, static_cast<uint32_t>(at));
  }
  count_ = static_cast<size_t>(target - offsets_.data());
  has_backslash_ = any_backslash != 0;
  has_high_bit_ = high_bits != 0;
}

void Structurals::seal(size_t count) {
  for (size_t i = 0; i < count; ++i) offsets_[count_ + i] = static_cast<uint32_t>(indexed_bytes_);
}

void Structurals::index(const char* text, size_t bytes) {
  run<false>(text, bytes);
}
void Structurals::index_brackets(const char* text, size_t bytes) {
  run<true>(text, bytes);
}

}  // namespace laketap::worker
