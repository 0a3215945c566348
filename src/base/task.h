// Task<T>: a coroutine's result. Includes only what boost/asio/awaitable.hpp needs, so faces may
// use it.
//
// Name what you await: GCC 12 destroys a capturing lambda or a braced aggregate twice when it
// stands inside the co_await expression (docs/decisions/0001-language.md).
#pragma once

#include <boost/asio/awaitable.hpp>

// GCC 12 inlines Asio's frame allocation but not its release, and then warns that they do not
// match.
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"

namespace laketap {

template <class T = void>
using Task = boost::asio::awaitable<T>;

}  // namespace laketap
