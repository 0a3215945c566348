// Buckets: list, create, head, delete, location, versioning.
#include "api/s3/doors.h"

namespace laketap::api::s3 {
namespace {

constexpr const char* kDefaultRegion = "us-east-1";

std::string arn_of(const std::string& bucket) {
  return "arn:aws:s3:::" + bucket;
}

wire::Answer<shapes::ListBucketsOutput> list_buckets(Doors& doors, const wire::Call&,
                                                     const shapes::ListBucketsRequest& input) {
  const Result<std::vector<store::Bucket>> all = doors.store.list_buckets();
  if (!all) return std::unexpected(to_fault(all.error(), {}));
  shapes::ListBucketsOutput output;
  output.owner = shapes::Owner{.display_name = std::nullopt, .id = doors.options.account};
  output.prefix = input.prefix;
  output.buckets.emplace();
  for (const store::Bucket& bucket : *all) {
    if (input.prefix && !bucket.name.starts_with(*input.prefix)) continue;
    if (input.bucket_region && bucket.region != *input.bucket_region) continue;
    if (input.continuation_token && bucket.name <= *input.continuation_token) continue;
    if (input.max_buckets && std::cmp_greater_equal(output.buckets->size(), *input.max_buckets)) {
      output.continuation_token = output.buckets->back().name;
      break;
    }
    shapes::Bucket shown;
    shown.name = bucket.name;
    shown.creation_date = bucket.created;
    // AWS shows regions to those who page or filter only; older SDKs do not know the element.
    if (input.max_buckets || input.bucket_region) shown.bucket_region = bucket.region;
    output.buckets->push_back(std::move(shown));
  }
  return output;
}

wire::Answer<shapes::CreateBucketOutput> create_bucket(Doors& doors, const wire::Call& call,
                                                       const shapes::CreateBucketRequest& input) {
  if (input.object_lock_enabled_for_bucket.value_or(false))
    return std::unexpected(not_implemented("x-amz-bucket-object-lock-enabled"));
  // One namespace: any region is accepted, and the bucket keeps it (design.md).
  std::string region = call.region.empty() ? kDefaultRegion : call.region;
  if (input.create_bucket_configuration && input.create_bucket_configuration->location_constraint)
    region = *input.create_bucket_configuration->location_constraint;
  if (region == "EU") region = "eu-west-1";  // As S3 still reads it.
  const Result<> made = doors.store.create_bucket(input.bucket, region);
  if (!made && made.error().kind == ErrorKind::exists) {
    // us-east-1 answers the owner's repeat with 200, all other regions do not.
    const Result<store::Bucket> found = doors.store.find_bucket(input.bucket);
    if (!found || found->region != kDefaultRegion || region != kDefaultRegion)
      return wire::refuse("BucketAlreadyOwnedByYou", 409,
                          "Your previous request to create the named bucket succeeded and you "
                          "already own it.",
                          {{"BucketName", input.bucket}});
  } else if (!made) {
    return std::unexpected(to_fault(made.error(), {.bucket = input.bucket}));
  }
  shapes::CreateBucketOutput output;
  output.location = "/" + input.bucket;
  output.bucket_arn = arn_of(input.bucket);
  return output;
}

wire::Answer<shapes::HeadBucketOutput> head_bucket(Doors& doors, const wire::Call&,
                                                   const shapes::HeadBucketRequest& input) {
  const Result<store::Bucket> bucket = doors.store.find_bucket(input.bucket);
  if (!bucket) return std::unexpected(to_fault(bucket.error(), {.bucket = input.bucket}));
  shapes::HeadBucketOutput output;
  output.bucket_region = bucket->region;
  output.bucket_arn = arn_of(bucket->name);
  output.access_point_alias = false;
  return output;
}

wire::Answer<wire::Empty> delete_bucket(Doors& doors, const wire::Call&,
                                        const shapes::DeleteBucketRequest& input) {
  const Result<> removed = doors.store.remove_bucket(input.bucket);
  if (!removed) {
    Error error = removed.error();
    const Result<store::Bucket> bucket = doors.store.find_bucket(input.bucket);
    if (bucket && bucket->versioning != store::Versioning::never) error.what += ", versions";
    return std::unexpected(to_fault(error, {.bucket = input.bucket}));
  }
  return wire::Empty{};
}

wire::Answer<shapes::GetBucketLocationOutput> get_location(
    Doors& doors, const wire::Call&, const shapes::GetBucketLocationRequest& input) {
  const Result<store::Bucket> bucket = doors.store.find_bucket(input.bucket);
  if (!bucket) return std::unexpected(to_fault(bucket.error(), {.bucket = input.bucket}));
  shapes::GetBucketLocationOutput output;
  if (bucket->region != kDefaultRegion) output.location_constraint = bucket->region;
  return output;
}

wire::Answer<shapes::GetBucketVersioningOutput> get_versioning(
    Doors& doors, const wire::Call&, const shapes::GetBucketVersioningRequest& input) {
  const Result<store::Bucket> bucket = doors.store.find_bucket(input.bucket);
  if (!bucket) return std::unexpected(to_fault(bucket.error(), {.bucket = input.bucket}));
  shapes::GetBucketVersioningOutput output;
  if (bucket->versioning == store::Versioning::enabled) output.status = "Enabled";
  if (bucket->versioning == store::Versioning::suspended) output.status = "Suspended";
  return output;
}

wire::Answer<wire::Empty> put_versioning(Doors& doors, const wire::Call&,
                                         const shapes::PutBucketVersioningRequest& input) {
  if (input.versioning_configuration.mfa_delete.value_or("Disabled") == "Enabled")
    return std::unexpected(not_implemented("MfaDelete"));
  const std::optional<std::string>& status = input.versioning_configuration.status;
  if (!status)
    return wire::refuse("IllegalVersioningConfigurationException", 400,
                        "The Versioning element must be specified");
  const Result<> set =
      doors.store.set_versioning(input.bucket, *status == "Enabled" ? store::Versioning::enabled
                                                                    : store::Versioning::suspended);
  if (!set) return std::unexpected(to_fault(set.error(), {.bucket = input.bucket}));
  return wire::Empty{};
}

}  // namespace

void add_buckets(wire::Operations& operations, const std::shared_ptr<Doors>& doors) {
  add(operations, doors, "ListBuckets", list_buckets);
  add(operations, doors, "CreateBucket", create_bucket);
  add(operations, doors, "HeadBucket", head_bucket);
  add(operations, doors, "DeleteBucket", delete_bucket);
  add(operations, doors, "GetBucketLocation", get_location);
  add(operations, doors, "GetBucketVersioning", get_versioning);
  add(operations, doors, "PutBucketVersioning", put_versioning);
}

}  // namespace laketap::api::s3
