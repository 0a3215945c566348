#include "identity/identity.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "identity/roles.h"

namespace laketap::identity {
namespace {

class IdentityTest : public testing::Test {
 protected:
  IdentityTest() {
    std::string pattern = std::filesystem::temp_directory_path() / "identity-test-XXXXXX";
    options_.directory = mkdtemp(pattern.data());
  }
  ~IdentityTest() override { std::filesystem::remove_all(options_.directory); }
  std::unique_ptr<Identities> open() {
    return std::move(
        *Identities::open(options_, io::real_files(), io::real_clock(), io::real_random()));
  }
  Options options_;
};

TEST_F(IdentityTest, GeneratedKeysAreKeptAndReadableByTheOwnerOnly) {
  const std::string key = open()->root_access_key();
  EXPECT_EQ(open()->root_access_key(), key);
  struct stat info{};
  ASSERT_EQ(stat((options_.directory + "/credentials.json").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  EXPECT_EQ(read_root_keys(io::real_files(), options_.directory)->access_key, key);
}

TEST_F(IdentityTest, GivenKeysCountAtFirstStartOnly) {
  options_.root_access_key = "AKIAGIVEN";
  options_.root_secret_key = "a secret of enough length";
  EXPECT_EQ(open()->root_access_key(), "AKIAGIVEN");
  options_.root_access_key = "AKIAOTHER";
  EXPECT_EQ(open()->root_access_key(), "AKIAGIVEN");
  EXPECT_FALSE(open()->secret("AKIAOTHER"));
}

TEST_F(IdentityTest, HalfAKeyAWeakOneOrNoAccountIsRefused) {
  options_.root_access_key = "AKIAGIVEN";
  const auto refused = [&] {
    const auto opened =
        Identities::open(options_, io::real_files(), io::real_clock(), io::real_random());
    return !opened && opened.error().kind == ErrorKind::invalid;
  };
  EXPECT_TRUE(refused()) << "no secret";
  options_.root_secret_key = "short";
  EXPECT_TRUE(refused()) << "a short secret";
  options_.root_secret_key = "a secret of enough length";
  options_.root_access_key = "with/slash";
  EXPECT_TRUE(refused()) << "a slash would end the key in a credential scope";
  options_.root_access_key = "AKIAGIVEN";
  options_.account = "12345";
  EXPECT_TRUE(refused());
  options_.account = "123456789012";
  EXPECT_EQ(open()->caller("AKIAGIVEN", "eu-west-1").arn, "arn:aws:iam::123456789012:root");
}

TEST_F(IdentityTest, OnlyTheRootKeyMayActForNow) {
  const auto identities = open();
  const Caller root = identities->caller(identities->root_access_key(), "us-east-1");
  EXPECT_TRUE(identities->authorize(root, "firehose:PutRecord", "arn:aws:firehose:::x"));
  const Caller other = identities->caller("AKIAOTHER", "us-east-1");
  EXPECT_EQ(identities->authorize(other, "firehose:PutRecord", "x").error().kind,
            ErrorKind::denied);
}

TEST_F(IdentityTest, ADamagedCredentialsFileIsNotReplaced) {
  (void)open();
  const std::string path = options_.directory + "/credentials.json";
  std::filesystem::resize_file(path, 10);
  const auto opened =
      Identities::open(options_, io::real_files(), io::real_clock(), io::real_random());
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().kind, ErrorKind::corrupt);
  EXPECT_EQ(std::filesystem::file_size(path), 10u);
}

TEST_F(IdentityTest, APasswordOpensASessionThatEndsWithLogOut) {
  options_.console_password = "correct horse";
  const auto identities = open();
  EXPECT_FALSE(identities->new_console_password());
  EXPECT_FALSE(identities->log_in("admin", "wrong"));
  EXPECT_FALSE(identities->log_in("root", "correct horse"));
  const auto token = identities->log_in("admin", "correct horse");
  ASSERT_TRUE(token);
  EXPECT_EQ(identities->session_user(*token), "admin");
  EXPECT_FALSE(identities->session_user(*token + "x"));
  identities->log_out(*token);
  EXPECT_FALSE(identities->session_user(*token));
}

TEST_F(IdentityTest, AMadeUpPasswordIsToldOnce) {
  const auto first = open();
  ASSERT_TRUE(first->new_console_password());
  EXPECT_TRUE(first->log_in("admin", *first->new_console_password()));
  EXPECT_FALSE(open()->new_console_password());
}

TEST(RolesTest, ARoleWithPoliciesIsNotRemoved) {
  const auto database = state::in_memory();
  Roles roles(*database, io::real_clock(), io::real_random());
  ASSERT_TRUE(roles.create({}, {.name = "r", .trust_policy = "{}"}));
  EXPECT_EQ(roles.create({}, {.name = "r"}).error().kind, ErrorKind::exists);
  ASSERT_TRUE(roles.update("r", [](Role& role) -> Result<> {
    role.inline_policies["p"] = "{}";
    return {};
  }));
  EXPECT_EQ(roles.remove("r").error().kind, ErrorKind::conflict);
  ASSERT_TRUE(roles.update("r", [](Role& role) -> Result<> {
    role.inline_policies.clear();
    return {};
  }));
  EXPECT_TRUE(roles.remove("r"));
  EXPECT_EQ(roles.find("r").error().kind, ErrorKind::not_found);
}

}  // namespace
}  // namespace laketap::identity
