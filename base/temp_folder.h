// A folder of a test's own, gone when the test ends.
//
//   TempFolder folder;
//   Store store(RealFileSystem(), folder.path());
#ifndef MANTISSA_BASE_TEMP_FOLDER_H_
#define MANTISSA_BASE_TEMP_FOLDER_H_

#include <string>

namespace mantissa {

class TempFolder {
 public:
  TempFolder();
  ~TempFolder();
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace mantissa

#endif  // MANTISSA_BASE_TEMP_FOLDER_H_
