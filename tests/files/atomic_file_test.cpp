// The user's files are preserved when files are written next to or over them: links, modes, devices, long
// names, and names that only look like ours.
#include "engine/io/atomic_file.h"

#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>

#include "tests/fixtures/file_test.h"

namespace {
int masks_set = 0;
}

// In place of the C library's, for the code under test, too.
extern "C" mode_t umask(mode_t mask) noexcept {
  ++masks_set;
  return static_cast<mode_t>(::syscall(SYS_umask, mask));
}

namespace umbra {
namespace {

namespace fs = std::filesystem;
using AtomicFileTest = FileTest;

mode_t mode_of(const fs::path& path) {
  struct stat status {};
  EXPECT_EQ(::stat(path.c_str(), &status), 0) << path;
  return status.st_mode & 07777;
}

TEST_F(AtomicFileTest, WritesWholeFilesOrNone) {
  write_text_file(path("a.txt"), "one");
  write_text_file(path("a.txt"), "two");
  EXPECT_EQ(text_of(path("a.txt")), "two");
  { const AtomicFile dropped(path("a.txt")); }
  EXPECT_EQ(text_of(path("a.txt")), "two");
  EXPECT_EQ(entries(), 1u);
  expect_message([&] { AtomicFile(path("no/such/a.txt")); }, {"no/such/a.txt", "does not exist"});
  expect_message([&] { const AtomicFile file(folder_); }, {"not of a folder"});
  EXPECT_NE(mode_of(path("a.txt")) & S_IWUSR, 0u);
}

TEST_F(AtomicFileTest, OnlyWhatWasSurelyWrittenHereIsRemoved) {
  const std::array<const char*, 2> names = {"last.h5", "config.toml"};
  const std::vector<std::string> kept = {".last.h5.a1B2c3",
                                         ".notes.sqlite",
                                         ".bashrc.backup",
                                         "last.h5",
                                         ".umbra-tmp.x",
                                         ".umbra-tmp.last.h5.toolong",
                                         ".umbra-tmp.other.abcdef",
                                         ".umbra-tmp.last.h5.abc"};
  for (const std::string& name : kept) put_bytes(path(name), std::string("x"));
  fs::create_symlink("last.h5", path(".umbra-tmp.last.h5.linked"));
  fs::create_directory(path(".umbra-tmp.last.h5.folder"));
  const pid_t killed = ::fork();
  if (killed == 0) {
    static AtomicFile left(path("last.h5"));
    ::raise(SIGKILL);
  }
  ::waitpid(killed, nullptr, 0);
  ASSERT_EQ(entries(), kept.size() + 3);
  remove_leftovers(folder_, names);
  EXPECT_EQ(entries(), kept.size() + 2);
  for (const std::string& name : kept) EXPECT_TRUE(fs::exists(path(name))) << name;
  EXPECT_NO_THROW(remove_leftovers(path("no/such"), names));
}

TEST_F(AtomicFileTest, LinksAreWrittenThrough) {
  fs::create_directories(path("store"));
  write_text_file(path("store/real"), "old");
  fs::create_symlink("store/real", path("near"));
  fs::create_symlink(path("near"), path("far"));
  write_text_file(path("far"), "new");
  EXPECT_EQ(text_of(path("store/real")), "new");
  EXPECT_TRUE(fs::is_symlink(path("near")) && fs::is_symlink(path("far")));
  fs::create_symlink("store/later", path("dangling"));
  write_text_file(path("dangling"), "there now");
  EXPECT_EQ(text_of(path("store/later")), "there now");
  EXPECT_TRUE(fs::is_symlink(path("dangling")));
  fs::create_symlink("nowhere/file", path("lost"));
  expect_message([&] { write_text_file(path("lost"), "x"); }, {"lost", "nowhere", "does not exist"});
  fs::create_symlink("circle", path("circle"));
  expect_message([&] { write_text_file(path("circle"), "x"); }, {"circle"});
  EXPECT_EQ(std::distance(fs::directory_iterator(path("store")), fs::directory_iterator()), 2);
}

TEST_F(AtomicFileTest, DevicesPipesAndOpenFilesAreRefused) {
  expect_message([] { const AtomicFile file("/dev/null"); }, {"/dev/null", "not a regular file"});
  ASSERT_EQ(::mkfifo(path("pipe").c_str(), 0600), 0);
  expect_message([&] { const AtomicFile file(path("pipe")); }, {"pipe", "not a regular file"});
  fs::create_symlink("/dev/null", path("null"));
  expect_message([&] { const AtomicFile file(path("null")); }, {"null", "not a regular file"});
  fs::create_symlink("/proc/self/fd/1", path("stdout"));
  for (const fs::path& name : {path("stdout"), fs::path("/dev/stdout"), fs::path("/dev/fd/1")})
    expect_message([&] { const AtomicFile file(name); }, {name.string(), "open file of a process"});
  EXPECT_TRUE(fs::is_symlink(path("null")) && fs::is_symlink(path("stdout")) && fs::is_fifo(path("pipe")));
}

// While the mask is changed, files that other threads make are writable by everybody.
TEST_F(AtomicFileTest, TheMaskOfTheProcessIsNotChanged) {
  const int before = masks_set;
  write_text_file(path("a"), "one");
  EXPECT_EQ(masks_set, before);
  ::umask(::umask(0));
  EXPECT_EQ(masks_set, before + 2) << "the calls are counted";
}

TEST_F(AtomicFileTest, AFileKeepsItsMode) {
  for (const mode_t mode : {0600, 0640, 0664, 0755}) {
    write_text_file(path("a"), "one");
    ASSERT_EQ(::chmod(path("a").c_str(), mode), 0);
    write_text_file(path("a"), "two");
    EXPECT_EQ(mode_of(path("a")), mode);
  }
  const mode_t before = ::umask(027);
  write_text_file(path("new"), "x");
  ::umask(before);
  EXPECT_EQ(mode_of(path("new")), 0640u);
}

// As another user, if this one has permission to write everything.
TEST_F(AtomicFileTest, AProtectedFileStays) {
  write_text_file(path("a"), "mine");
  ASSERT_EQ(::chmod(path("a").c_str(), 0444), 0);
  ASSERT_EQ(::chmod(folder_.c_str(), 0777), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    if (::geteuid() == 0 && ::seteuid(65534) != 0) ::_exit(2);
    try {
      write_text_file(path("a"), "theirs");
    } catch (const Error& error) {
      ::_exit(std::string(error.what()).find("write-protected: Permission denied") == std::string::npos ? 1
                                                                                                        : 0);
    }
    ::_exit(3);
  }
  int status = -1;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(text_of(path("a")), "mine");
}

TEST_F(AtomicFileTest, NamesMayBeAsLongAsNamesCanBe) {
  std::string umlauts;
  while (umlauts.size() < 254) umlauts += "\xc3\xa4";
  for (const std::string& name : {std::string(255, 'y'), umlauts, std::string(240, 'y')}) {
    write_text_file(path(name), "x");
    EXPECT_EQ(text_of(path(name)), "x");
  }
  expect_message([&] { write_text_file(path(std::string(256, 'y')), "x"); }, {"File name too long"});
}

TEST_F(AtomicFileTest, AnInputIsNoOutput) {
  write_text_file(path("in"), "data");
  fs::create_symlink("in", path("link"));
  fs::create_hard_link(path("in"), path("hard"));
  const std::vector<InputFile> inputs = {{"--config", path("none")}, {"--data", path("in")}};
  for (const fs::path& out : {path("in"), path("link"), path("hard"), folder_ / "." / "in"})
    expect_message([&] { refuse_input_as_output(out, inputs); }, {out.string(), "--data", "lost"});
  EXPECT_NO_THROW(refuse_input_as_output(path("out"), inputs));
  EXPECT_NO_THROW(refuse_input_as_output(path("none"), inputs));
}

TEST_F(AtomicFileTest, HandlersCanRemoveWhatIsPending) {
  const AtomicFile pending(path("a")), another(path("b"));
  ASSERT_EQ(entries(), 2u);
  remove_temporaries();
  EXPECT_EQ(entries(), 0u);
}

}  // namespace
}  // namespace umbra
