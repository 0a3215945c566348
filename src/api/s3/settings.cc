// Settings of buckets that tools read of every bucket: answers of one on which they were never set.
// Setting them is not built, and says so.
#include "api/s3/doors.h"

namespace laketap::api::s3 {
namespace {

// The registrations of this file, one call a setting.
class Settings {
 public:
  Settings(wire::Operations& operations, const std::shared_ptr<Doors>& doors)
      : operations_(operations), doors_(doors) {}

  // Reading it answers 404 with this code.
  template <class In, class Out>
  void absent(const char* name, const char* code, const char* message) {
    operations_.add<In, Out>("s3", name,
                             [doors = doors_, code, message](const wire::Call& call,
                                                             const In& input) -> wire::Answer<Out> {
                               if (auto fault = check(*doors, call, input))
                                 return std::unexpected(std::move(*fault));
                               return wire::refuse(code, 404, message,
                                                   {{"BucketName", input.bucket}});
                             });
  }

  // Reading it answers what `fill` makes of an empty answer.
  template <class In, class Out>
  void present(const char* name, void (*fill)(const Doors&, Out&)) {
    operations_.add<In, Out>(
        "s3", name,
        [doors = doors_, fill](const wire::Call& call, const In& input) -> wire::Answer<Out> {
          if (auto fault = check(*doors, call, input)) return std::unexpected(std::move(*fault));
          Out output;
          fill(*doors, output);
          return output;
        });
  }

  // Removing it changes nothing: it is not there.
  template <class In>
  void removable(const char* name) {
    operations_.add<In, wire::Empty>(
        "s3", name,
        [doors = doors_](const wire::Call& call, const In& input) -> wire::Answer<wire::Empty> {
          if (auto fault = check(*doors, call, input)) return std::unexpected(std::move(*fault));
          return wire::Empty{};
        });
  }

 private:
  template <class In>
  static std::optional<wire::Fault> check(const Doors& doors, const wire::Call& call,
                                          const In& input) {
    guard(call);
    if (auto fault = check_common(doors, input)) return fault;
    if (const auto bucket = doors.store.find_bucket(input.bucket); !bucket)
      return to_fault(bucket.error(), {.bucket = input.bucket});
    if constexpr (requires { input.key; }) {
      const std::string version = input.version_id.value_or("");
      const auto object = doors.store.find(input.bucket, input.key, version);
      if (!object)
        return to_fault(object.error(),
                        {.bucket = input.bucket, .key = input.key, .version_id = version});
      if (object->delete_marker) return no_such_key(input.key);
    }
    return std::nullopt;
  }

  wire::Operations& operations_;
  std::shared_ptr<Doors> doors_;
};

// The owner may do all, nobody else anything.
template <class Out>
void fill_acl(const Doors& doors, Out& output) {
  output.owner = shapes::Owner{.display_name = std::nullopt, .id = doors.options.account};
  shapes::Grantee grantee;
  grantee.id = doors.options.account;
  grantee.type = "CanonicalUser";
  shapes::Grant grant;
  grant.grantee = std::move(grantee);
  grant.permission = "FULL_CONTROL";
  output.grants = std::vector{std::move(grant)};
}

template <class Out>
void fill_nothing(const Doors&, Out&) {}

template <class Out>
void fill_list(const Doors&, Out& output) {
  output.is_truncated = false;
}

void fill_encryption(const Doors&, shapes::GetBucketEncryptionOutput& output) {
  shapes::ServerSideEncryptionRule rule;
  rule.apply_server_side_encryption_by_default.emplace().sse_algorithm = "AES256";
  rule.bucket_key_enabled = false;
  output.server_side_encryption_configuration.emplace().rules.push_back(std::move(rule));
}

void fill_ownership(const Doors&, shapes::GetBucketOwnershipControlsOutput& output) {
  output.ownership_controls.emplace().rules.push_back({.object_ownership = "BucketOwnerEnforced"});
}

void fill_public_access(const Doors&, shapes::GetPublicAccessBlockOutput& output) {
  output.public_access_block_configuration =
      shapes::PublicAccessBlockConfiguration{.block_public_acls = true,
                                             .ignore_public_acls = true,
                                             .block_public_policy = true,
                                             .restrict_public_buckets = true};
}

void fill_payer(const Doors&, shapes::GetBucketRequestPaymentOutput& output) {
  output.payer = "BucketOwner";
}

void add_absent(Settings& settings) {
  using namespace wire::s3;
  const char* const no_policy = "The bucket policy does not exist";
  settings.absent<GetBucketPolicyRequest, GetBucketPolicyOutput>("GetBucketPolicy",
                                                                 "NoSuchBucketPolicy", no_policy);
  settings.absent<GetBucketPolicyStatusRequest, GetBucketPolicyStatusOutput>(
      "GetBucketPolicyStatus", "NoSuchBucketPolicy", no_policy);
  settings.absent<GetBucketTaggingRequest, GetBucketTaggingOutput>(
      "GetBucketTagging", "NoSuchTagSet", "The TagSet does not exist");
  settings.absent<GetBucketLifecycleConfigurationRequest, GetBucketLifecycleConfigurationOutput>(
      "GetBucketLifecycleConfiguration", "NoSuchLifecycleConfiguration",
      "The lifecycle configuration does not exist");
  settings.absent<GetBucketCorsRequest, GetBucketCorsOutput>(
      "GetBucketCors", "NoSuchCORSConfiguration", "The CORS configuration does not exist");
  settings.absent<GetBucketWebsiteRequest, GetBucketWebsiteOutput>(
      "GetBucketWebsite", "NoSuchWebsiteConfiguration",
      "The specified bucket does not have a website configuration");
  settings.absent<GetBucketReplicationRequest, GetBucketReplicationOutput>(
      "GetBucketReplication", "ReplicationConfigurationNotFoundError",
      "The replication configuration was not found");
  settings.absent<GetObjectLockConfigurationRequest, GetObjectLockConfigurationOutput>(
      "GetObjectLockConfiguration", "ObjectLockConfigurationNotFoundError",
      "Object Lock configuration does not exist for this bucket");
}

void add_present(Settings& settings) {
  using namespace wire::s3;
  settings.present<GetBucketAclRequest, GetBucketAclOutput>("GetBucketAcl", fill_acl);
  settings.present<GetObjectAclRequest, GetObjectAclOutput>("GetObjectAcl", fill_acl);
  settings.present<GetObjectTaggingRequest, GetObjectTaggingOutput>("GetObjectTagging",
                                                                    fill_nothing);
  settings.present<GetBucketLoggingRequest, GetBucketLoggingOutput>("GetBucketLogging",
                                                                    fill_nothing);
  settings.present<GetBucketNotificationConfigurationRequest, NotificationConfiguration>(
      "GetBucketNotificationConfiguration", fill_nothing);
  settings.present<GetBucketAccelerateConfigurationRequest, GetBucketAccelerateConfigurationOutput>(
      "GetBucketAccelerateConfiguration", fill_nothing);
  settings.present<GetBucketRequestPaymentRequest, GetBucketRequestPaymentOutput>(
      "GetBucketRequestPayment", fill_payer);
  settings.present<GetBucketEncryptionRequest, GetBucketEncryptionOutput>("GetBucketEncryption",
                                                                          fill_encryption);
  settings.present<GetBucketOwnershipControlsRequest, GetBucketOwnershipControlsOutput>(
      "GetBucketOwnershipControls", fill_ownership);
  settings.present<GetPublicAccessBlockRequest, GetPublicAccessBlockOutput>("GetPublicAccessBlock",
                                                                            fill_public_access);
}

void add_lists(Settings& settings) {
  using namespace wire::s3;
  settings
      .present<ListBucketAnalyticsConfigurationsRequest, ListBucketAnalyticsConfigurationsOutput>(
          "ListBucketAnalyticsConfigurations", fill_list);
  settings
      .present<ListBucketInventoryConfigurationsRequest, ListBucketInventoryConfigurationsOutput>(
          "ListBucketInventoryConfigurations", fill_list);
  settings.present<ListBucketMetricsConfigurationsRequest, ListBucketMetricsConfigurationsOutput>(
      "ListBucketMetricsConfigurations", fill_list);
  settings.present<ListBucketIntelligentTieringConfigurationsRequest,
                   ListBucketIntelligentTieringConfigurationsOutput>(
      "ListBucketIntelligentTieringConfigurations", fill_list);
}

void add_removable(Settings& settings) {
  using namespace wire::s3;
  settings.removable<DeleteBucketCorsRequest>("DeleteBucketCors");
  settings.removable<DeleteBucketLifecycleRequest>("DeleteBucketLifecycle");
  settings.removable<DeleteBucketPolicyRequest>("DeleteBucketPolicy");
  settings.removable<DeleteBucketReplicationRequest>("DeleteBucketReplication");
  settings.removable<DeleteBucketTaggingRequest>("DeleteBucketTagging");
  settings.removable<DeleteBucketWebsiteRequest>("DeleteBucketWebsite");
}

}  // namespace

void add_settings(wire::Operations& operations, const std::shared_ptr<Doors>& doors) {
  Settings settings(operations, doors);
  add_absent(settings);
  add_present(settings);
  add_lists(settings);
  add_removable(settings);
}

}  // namespace laketap::api::s3
