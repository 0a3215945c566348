// AWS::S3::Bucket.
#include <array>
#include <boost/json.hpp>

#include "stacks/types/types.h"

namespace laketap::stacks {
namespace {

namespace json = boost::json;

constexpr std::array kVersioning{Property{"Status", Kind::text, true}};
constexpr std::array kProperties{
    Property{"BucketName"},
    Property{"VersioningConfiguration", Kind::object, false, kVersioning},
    // Stored with the stack, without effect here: a bucket of ours is private, its owner's, and on
    // our own disk.
    Property{"AccessControl"},
    Property{"BucketEncryption", Kind::json},
    Property{"PublicAccessBlockConfiguration", Kind::json},
    Property{"OwnershipControls", Kind::json},
    Property{"Tags", Kind::json},
};

class Bucket : public Type {
 public:
  std::string_view name() const override { return "AWS::S3::Bucket"; }
  std::span<const Property> properties() const override { return kProperties; }
  NameRule name_rule() const override {
    return {.property = "BucketName", .length_max = 63, .lower_case = true};
  }

  Outcome<bool> exists(const Context& context, const std::string& id,
                       const json::object&) const override {
    const auto head = context.call("s3", "HeadBucket", {{"Bucket", id}});
    if (head) return true;
    if (says_missing(head.error())) return false;
    return std::unexpected(head.error());
  }

  Outcome<bool> create(const Context& context, const std::string& id,
                       const json::object& properties) const override {
    if (const auto made = context.call("s3", "CreateBucket", {{"Bucket", id}}); !made)
      return std::unexpected(made.error());
    const json::value* versioning = properties.if_contains("VersioningConfiguration");
    if (!versioning) return true;
    const auto set = context.call("s3", "PutBucketVersioning",
                                  {{"Bucket", id}, {"VersioningConfiguration", *versioning}});
    if (!set) return std::unexpected(set.error());
    return true;
  }

  Outcome<bool> remove(const Context& context, const std::string& id,
                       const json::object&) const override {
    const auto gone = context.call("s3", "DeleteBucket", {{"Bucket", id}});
    if (gone || says_missing(gone.error())) return true;
    return std::unexpected(gone.error());
  }

  std::optional<std::string> attribute(const Context& context, const std::string& id,
                                       std::string_view name) const override {
    if (name == "Arn") return "arn:aws:s3:::" + id;
    if (name == "DomainName") return id + ".s3.amazonaws.com";
    if (name == "RegionalDomainName") return id + ".s3." + context.caller.region + ".amazonaws.com";
    if (name == "DualStackDomainName")
      return id + ".s3.dualstack." + context.caller.region + ".amazonaws.com";
    if (name == "WebsiteURL")
      return "http://" + id + ".s3-website-" + context.caller.region + ".amazonaws.com";
    return std::nullopt;
  }
};

}  // namespace

const Type& bucket_type() {
  static const Bucket kType;
  return kType;
}

}  // namespace laketap::stacks
