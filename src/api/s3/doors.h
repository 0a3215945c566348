// What the doors of S3 share: the store, threads that wait for the disk, how a door is added. Inner
// header.
#pragma once

#include <boost/asio/thread_pool.hpp>

#include "api/s3/faults.h"
#include "api/s3/s3.h"
#include "http/message.h"
#include "wire/s3.h"

namespace laketap::api::s3 {

namespace shapes = wire::s3;

// Lives as long as the operations that use it.
struct Doors {
  Doors(store::Store& its_store, Options its_options)
      : store(its_store), options(std::move(its_options)), pool(options.threads) {}

  store::Store& store;
  Options options;
  boost::asio::thread_pool pool;  // At most one job for each connection waits here.
};

// Runs `work` on the pool and comes back to the caller's thread. `work` must not throw.
Task<> on_pool(Doors& doors, std::function<void()> work);

std::string quoted(const std::string& etag);
std::string unquoted(const std::string& etag);  // With or without quotes; weak marks go.

// User content must not act in the console's name (design.md: one origin).
void guard(const wire::Call& call);

// What is the same for all: the owner the caller expects is the one there is.
template <class In>
std::optional<wire::Fault> check_common(const Doors& doors, const In& input) {
  if constexpr (requires { input.expected_bucket_owner; }) {
    if (input.expected_bucket_owner && *input.expected_bucket_owner != doors.options.account)
      return access_denied();
  }
  if constexpr (requires { input.sse_customer_algorithm; }) {
    if (input.sse_customer_algorithm)
      return not_implemented("x-amz-server-side-encryption-customer-algorithm");
  }
  if constexpr (requires {
                  input.object_lock_mode;
                  input.acl;
                }) {
    if (input.object_lock_mode) return not_implemented("x-amz-object-lock-mode");
  }
  if constexpr (requires { input.tagging; }) {
    if (input.tagging && !input.tagging->empty()) return not_implemented("x-amz-tagging");
  }
  if constexpr (requires { input.acl; }) {
    if (input.acl && *input.acl != "private" && *input.acl != "bucket-owner-full-control")
      return wire::Fault{
          "AccessControlListNotSupported", 400, "The bucket does not allow ACLs", {}};
  }
  return std::nullopt;
}

template <class In, class Out>
using Door = wire::Answer<Out> (*)(Doors&, const wire::Call&, const In&);
template <class In, class Out>
using AsyncDoor = Task<wire::Answer<Out>> (*)(std::shared_ptr<Doors>, const wire::Call&, In);

// A door that is a plain function, on a thread of the operations' pool.
template <class In, class Out>
void add(wire::Operations& operations, const std::shared_ptr<Doors>& doors, const char* name,
         Door<In, Out> door) {
  operations.add<In, Out>(
      "s3", name, [doors, door](const wire::Call& call, const In& input) -> wire::Answer<Out> {
        guard(call);
        if (auto fault = check_common(*doors, input)) return std::unexpected(std::move(*fault));
        return door(*doors, call, input);
      });
}

// A door that streams, or that takes long.
template <class In, class Out>
void add_async(wire::Operations& operations, const std::shared_ptr<Doors>& doors, const char* name,
               AsyncDoor<In, Out> door) {
  operations.add_async<In, Out>("s3", name, [doors, door](const wire::Call& call, In input) {
    guard(call);
    return door(doors, call, std::move(input));
  });
}

// A file for each kind of door.
void add_buckets(wire::Operations& operations, const std::shared_ptr<Doors>& doors);
void add_settings(wire::Operations& operations, const std::shared_ptr<Doors>& doors);
void add_listings(wire::Operations& operations, const std::shared_ptr<Doors>& doors);
void add_reads(wire::Operations& operations, const std::shared_ptr<Doors>& doors);
void add_writes(wire::Operations& operations, const std::shared_ptr<Doors>& doors);
void add_copies(wire::Operations& operations, const std::shared_ptr<Doors>& doors);
void add_removals(wire::Operations& operations, const std::shared_ptr<Doors>& doors);
void add_multipart(wire::Operations& operations, const std::shared_ptr<Doors>& doors);

}  // namespace laketap::api::s3
